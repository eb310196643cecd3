/** Several slow modules, asked one after the other on a real Synapse: one deadline holds for all of them. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { calls } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { lines, modulePath, order } from "./modules.js";

const files = temporaryFolder();
const seen = files.path("seen");
let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  const path = modulePath("behave.ts");
  const modules = ["one", "two", "three", "four"].map((name) => ({ path, name, config: { name, seen } }));
  server = await boot({ modules: [bridge({ modules, timeout: "1s" })] });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  files.remove();
});

test("modules that are each in time, but not together, have their call answered by policy once", async () => {
  const deadline = { callback: "check_event_allowed", outcome: "policy", reason: "deadline" };
  const began = performance.now();
  const { status } = await alice.send(room, order("slow", { ms: 600 }));
  const took = (performance.now() - began).toFixed(0);
  expect(status).toBe(503);
  expect(await calls(server, deadline)).toBe(1);
  // The last was never asked: its turn had not come.
  expect(lines(seen).length).toBeLessThan(4);
  observed(14, { policy: "defer", outcome: `503 M_UNKNOWN after ${took} ms of 1000` });
});

test("and the next call has a deadline of its own", async () => {
  expect((await alice.send(room, order("refuse", { for: "four" }))).status).toBe(403);
  observed(14, { outcome: "403 by the module" });
});

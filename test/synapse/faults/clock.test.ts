/** The system's clock is set by an hour under a real Synapse: calls, the heartbeat and restarts keep their times. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { lines, modulePath, order } from "./modules.js";

const files = temporaryFolder();
const seen = files.path("seen");
const shift = files.path("shift");
const setClock = (seconds: number) => writeFileSync(shift, String(seconds));
let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  setClock(0);
  const modules = [{ path: modulePath("behave.ts"), config: { seen } }];
  server = await boot({
    modules: [
      { module: "settable_clock.SettableClock", config: { file: shift } },
      bridge({ modules, timeout: "3s" }),
    ],
    // Synapse takes a clock that was set back for a flood of messages, the more so the higher the rate.
    extraConfig: { rc_message: { per_second: 1e-6, burst_count: 10_000 } },
    pythonPath: [shim, modulePath("")],
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  files.remove();
});

const say = (content: unknown) => alice.send(room, content);
const missed = () => calls(server, { outcome: "policy", reason: "deadline" });

/** Sends it, and sets the clock once the module has been asked. */
async function setDuring(seconds: number, content: unknown) {
  const before = { asked: lines(seen).length, missed: await missed() };
  const answer = say(content);
  await waitFor("the call", () => lines(seen).length > before.asked);
  setClock(seconds);
  const { status } = await answer;
  return { status, missed: (await missed()) - before.missed };
}

test("set forward: the answer is waited for", async () => {
  const before = host(server.pid);
  expect(await setDuring(3600, order("slow", { ms: 1_000 }))).toEqual({ status: 200, missed: 0 });
  expect(host(server.pid)).toBe(before);
  observed(40, { outcome: "200, after the module's answer" });
});

test("set back: who gets no answer is not kept waiting", async () => {
  const before = host(server.pid);
  expect(await setDuring(0, order("hang"))).toEqual({ status: 503, missed: 1 });
  expect(host(server.pid)).toBe(before);
  observed(40, { policy: "defer", outcome: "503 M_UNKNOWN at the deadline" });
});

test("set back: a host that is stopped is replaced", async () => {
  const before = host(server.pid);
  process.kill(before, "SIGSTOP");
  setClock(-3600);
  await nextHost(server.pid, before, 20_000);
  expect(logged(server, "the module host ended (it did not answer)")).toHaveLength(1);
  const refused = async () => (await say(order("refuse"))).status === 403;
  await waitFor("its answer", refused, 20_000);
  expect(contextWarnings(server)).toEqual([]);
  observed(40, { outcome: "another host; 403 by the module" });
}, 60_000);

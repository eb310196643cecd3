/** Visitors without an account who hang a web resource, or hold all of it that they get: what others are still served. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath } from "../../support/bridge.js";
import { registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { logged } from "../../support/log.js";
import { metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

// What the other module serves.
const OTHER = "list_spam_checker/is_evil?user=@evil:test.localhost";

let server: Homeserver;

beforeEach(async () => {
  const modules = [
    { path: modulePath("web-hangs.ts") },
    { path: examplePath("list-spam-checker.ts"), config: { evil_users: ["@evil:test.localhost"] } },
  ];
  const resources = [{ names: ["client"] }, { names: ["metrics"] }];
  const listener = {
    port: 0,
    type: "http",
    bind_addresses: ["127.0.0.1"],
    x_forwarded: true,
    resources,
  };
  server = await boot({ modules: [bridge({ modules })], extraConfig: { listeners: [listener] } });
}, 60_000);

afterEach(() => server?.stop());

/** Asks for a path as the visitor of this number; `signal` leaves. */
async function visit(path: string, visitor: number, signal?: AbortSignal) {
  const began = performance.now();
  const headers = { "x-forwarded-for": `192.0.2.${visitor}`, "x-forwarded-proto": "http" };
  const { status } = await fetch(`${server.baseUrl}/_synapse/client/${path}`, {
    headers,
    ...(signal && { signal }),
  });
  return { status, ms: performance.now() - began };
}

test("a path that visitors hang again and again is refused, and messages are judged", async () => {
  const alice = await registerUser(server, "alice");
  const room = (await alice.createRoom()).body.room_id;
  const ends = () =>
    logged(server, "the module host ended (").length +
    logged(server, "the thread of web-hangs has ended").length;
  for (const visitor of [1, 2, 3]) {
    const before = ends();
    // The last one leaves before the end.
    const asked = visit("web/hang", visitor, AbortSignal.timeout(visitor === 3 ? 500 : 20_000));
    const status = asked.then(
      (answer) => answer.status,
      () => "left",
    );
    await waitFor("the end", () => ends() > before, 15_000);
    expect(await status).toBe(visitor === 3 ? "left" : 503);
    await waitFor("the module to be back", async () => (await visit("web/good", 9)).status === 200, 15_000);
  }
  await waitFor("the refusal", () => logged(server, "does not serve").length > 0);
  const refused = await visit("web/hang", 9);
  expect(refused.status).toBe(503);
  expect(refused.ms).toBeLessThan(500);
  const before = ends();
  for (const path of ["web/good", OTHER]) expect((await visit(path, 9)).status).toBe(200);
  expect((await alice.say(room, "spam")).status).toBe(403);
  expect((await alice.say(room, "hello")).status).toBe(200);
  expect(ends()).toBe(before);
  expect(logged(server, "does not serve")).toEqual([
    expect.stringContaining("web-hangs does not serve /_synapse/client/web/hang to anybody for 10 min"),
  ]);
  expect(await metric(server, "synapse_module_bridge_quarantines")).toBe(1);
  observed(83, { policy: "allow", outcome: "503 for the path; 403 and 200 by the modules" });
}, 90_000);

test("a visitor who holds all that they get of a path keeps nobody else out", async () => {
  const controller = new AbortController();
  const held = Array.from({ length: 256 }, () =>
    visit("web/slow", 1, controller.signal).then(
      ({ status }) => status,
      () => undefined,
    ),
  );
  await waitFor("the visitor to be refused", async () => (await visit("web/good", 1)).status === 503);
  for (const path of ["web/good", OTHER]) expect((await visit(path, 2)).status).toBe(200);
  controller.abort();
  await Promise.all(held);
  await waitFor("the visitor to be served again", async () => (await visit("web/good", 1)).status === 200);
  observed(84, { policy: "allow", outcome: "503 for the visitor; 200 for others" });
});

/** Modules in threads of their own, on a real Synapse: what they break changes no verdict of the modules beside them. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { projectRoot } from "../../support/paths.js";
import { othersInGroupOf } from "../../support/processes.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

const LINK = "buy at https://spam.example/";
let server: Homeserver;
let node: number;
let bob: Client;
let users = 0;

beforeAll(async () => {
  const path = modulePath("breaks.ts");
  const modules = [
    { path, name: "quiet", shadow: true, config: { name: "quiet" } },
    { path, name: "own", isolated: true, config: { name: "own" } },
    { path: `${projectRoot}/examples/no-links.ts`, config: { allowed_domains: [] } },
  ];
  server = await boot({ modules: [bridge({ modules, timeout: "3s", memory: "64M" })] });
  node = host(server.pid);
  bob = await registerUser(server, "bob");
}, 60_000);

afterAll(() => server?.stop());

/** Somebody who has done nothing yet, in a room of their own. */
async function newcomer(): Promise<
  (body: string, breaks?: object) => Promise<{ status: number; ms: number }>
> {
  const user = await registerUser(server, `user${users++}`);
  const room = (await user.createRoom()).body.room_id;
  return async (body, breaks) => {
    const began = performance.now();
    const { status } = await user.send(room, { msgtype: "m.text", body, ...(breaks && { breaks }) });
    return { status, ms: performance.now() - began };
  };
}

const refusals = () => calls(server, { module: "no-links", outcome: "refused" });
const ends = (by: string) => logged(server, `the thread of ${by} has ended`).length;

const ACTS = ["exit", "throw", "reject", "memory", "block", "execSync"];
const ROWS: Readonly<Record<string, number>> = { memory: 72, block: 71, execSync: 71 };

test.each(ACTS)("a shadow module that does %s to its thread changes no verdict", async (act) => {
  const say = await newcomer();
  const [before, refused] = [ends("quiet"), await refusals()];
  const breaks = { act, by: "quiet" };
  const spam = await say(LINK, breaks);
  expect(spam.status).toBe(403);
  // Nobody waits for a shadow module.
  expect(spam.ms).toBeLessThan(1_500);
  expect((await say("hello")).status).toBe(200);
  expect(await refusals()).toBe(refused + 1);
  await waitFor("the end of the thread in the log", () => ends("quiet") > before, 10_000);
  expect((await say(LINK)).status).toBe(403);
  expect(host(server.pid)).toBe(node);
  observed(ROWS[act] ?? 70, { policy: "shadow", outcome: "403 by the module beside it, 200" });
});

test.each(ACTS)(
  "an isolated module that does %s to its thread takes no verdict from the next",
  async (act) => {
    const say = await newcomer();
    const others = await newcomer();
    const before = ends("own");
    const spam = say(LINK, { act, by: "own" });
    // Others are judged meanwhile.
    expect((await others("hello")).status).toBe(200);
    expect((await others(LINK)).status).toBe(403);
    expect((await spam).status).toBe(403);
    await waitFor("the end of the thread in the log", () => ends("own") > before, 10_000);
    expect((await others("hello again")).status).toBe(200);
    expect(host(server.pid)).toBe(node);
    observed(ROWS[act] ?? 70, { policy: "allow", outcome: "403 by the next module; others 200 and 403" });
  },
);

test("an isolated module that hangs has the next asked in the second half of the time", async () => {
  const say = await newcomer();
  const spam = await say(LINK, { act: "hang", by: "own" });
  expect(spam.status).toBe(403);
  expect(spam.ms).toBeGreaterThan(1_400);
  expect(spam.ms).toBeLessThan(3_000);
  observed(73, { policy: "allow", outcome: `403 by the next module after ${spam.ms.toFixed(0)} ms of 3000` });
});

test("Synapse and Node have gone through all of it", async () => {
  expect((await bob.createRoom()).status).toBe(200);
  expect(host(server.pid)).toBe(node);
  expect(contextWarnings(server)).toEqual([]);
});

test("Node is restarted once native code holds too many threads of a module, and the module beside it refuses throughout", async () => {
  const say = await newcomer();
  const restarted = () => logged(server, "the module host ended (native code holds").length > 0;
  for (const deadline = performance.now() + 60_000; !restarted() && performance.now() < deadline; ) {
    const bad = await newcomer();
    const before = ends("own");
    // Where it is found out in time, its author is refused.
    expect([200, 403]).toContain((await bad("hello", { act: "execSync", by: "own" })).status);
    await waitFor("the end of the thread, or of Node", () => ends("own") > before || restarted(), 10_000);
    expect((await say(LINK)).status).toBe(403);
  }
  expect(logged(server, "own is down: native code holds")).toHaveLength(1);
  expect(logged(server, "the module host ended (native code holds")).toEqual([
    expect.stringMatching(/ holds \d+ threads, in own\)/),
  ]);
  await nextHost(server.pid, node);
  expect((await say(LINK)).status).toBe(403);
  await waitFor("the end of what the module has started", () => othersInGroupOf(node).length === 0);
  observed(76, { policy: "allow", outcome: "403 by the module beside it throughout" });
}, 120_000);

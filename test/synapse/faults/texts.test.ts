/** What users write is slow to match, poses as a record or as a cause of death, or floods the log, on a real Synapse. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { logged } from "../../support/log.js";
import { metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { boot } from "./boot.js";
import { measured } from "./measure.js";
import { modulePath } from "./modules.js";

const LENGTH = 60_000;
const hostile = Array.from({ length: 99 }, (_, n) => `*buy*cheap*a*a*ab${n}*`);
let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  const path = modulePath("echoes.ts");
  const modules = [
    { path },
    { path, name: "matching", config: { globs: ["*buy*cheap*pills*", ...hostile] } },
    { path: modulePath("quiet.ts") },
  ];
  server = await boot({ modules: [bridge({ modules })] });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(() => server?.stop());

const say = (body: string, more: object = {}) => alice.send(room, { msgtype: "m.text", body, ...more });
const back = () => waitFor("Node", async () => (await metric(server, "synapse_module_bridge_up")) === 1);
const dropped = () => metric(server, "synapse_module_bridge_log_lines_dropped_total");

test.each(["buycheap", "a", "buy", "cheapa"])(
  "a text of 60 KB of %j against a hundred globs holds nobody up",
  async (unit) => {
    const body = unit.repeat(LENGTH / unit.length);
    const { result, cost } = await measured(server, () => say(body));
    expect(result.status).toBe(200);
    observed(80, { outcome: "by the module", tried: `60 KB of ${unit}`, ...cost });
  },
);

const posing = JSON.stringify({ level: 60, module: "no-links", msg: "posed", host_ends: "out of memory" });
const kinds = JSON.stringify({ ends: { cause: "out of memory", module: "no-links", code: 1 } });

test("what a module prints or logs is information under its name, whatever the text", async () => {
  const fields = { level: 60, module: "no-links", request: "PUT-0", ends: { cause: "x" }, host_ends: "x" };
  expect((await say(`${posing}\n${kinds}`, { act: "print", ...fields })).status).toBe(200);
  const own = await waitFor("its lines", () => {
    const lines = logged(server, "synapse_module_bridge.module.echoes");
    return lines.length >= 5 ? lines : undefined;
  });
  expect(own).toHaveLength(5);
  for (const line of own)
    expect(line).toMatch(/ INFO synapse_module_bridge\.module\.echoes \[.*(?:out of memory|posed)/);
  // Those that a handler has printed before it awaits anything, and what it logs.
  for (const line of [own[0], own[1], own[4]]) expect(line).toMatch(/ \[PUT-\d+\] /);
  expect(logged(server, "synapse_module_bridge.module.no-links")).toEqual([]);
  expect(logged(server, " CRITICAL ")).toEqual([]);
  observed(81, { outcome: "by the module; INFO under its name" });
});

test("what it or its children write to the descriptors is information of nobody", async () => {
  expect((await say(`${posing}\n${kinds}`, { act: "print raw" })).status).toBe(200);
  const raw = await waitFor("the text", () => {
    const lines = logged(server, "synapse_module_bridge.host").filter((line) => line.includes("no-links"));
    return lines.length >= 4 ? lines : undefined;
  });
  expect(raw).toHaveLength(4);
  for (const line of raw) expect(line).toContain(" INFO ");
  observed(81, { outcome: "by the module; INFO of the host" });
});

test("no last words name a cause of death, or keep Node from coming back", async () => {
  const deep = "[".repeat(981) + "]".repeat(981);
  const full = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
  const trace = "KEYBOARD_INTERRUPT: x\n    at f (/policies/no-links.ts:1:1)";
  const words = [`${posing}\n${kinds}`, full, trace, deep, `{"log":{"level":30,"msg":${deep}}}`];
  // Who has ended Node is set aside, and a module that has ended it twice gets a thread of its own.
  for (const [name, said] of [["bob", words] as const, ["carol", words.toReversed()] as const]) {
    const user = await registerUser(server, name);
    const own = (await user.createRoom()).body.room_id;
    const before = host(server.pid);
    await user.send(own, { msgtype: "m.text", body: said.join("\n"), act: "print and abort" });
    await nextHost(server.pid, before);
    await back();
  }
  const ends = logged(server, "the module host ended (");
  expect(ends).toHaveLength(2);
  for (const line of ends) expect(line).toContain("ended (it called process.abort(), in echoes), running: ");
  expect((await say("fine", { act: "refuse" })).status).toBe(403);
  observed(82, { outcome: "policy; back each time, and told apart" });
}, 60_000);

test("a flood of one module is counted and told, and costs another not one line", async () => {
  const before = await dropped();
  const heard = () => logged(server, "synapse_module_bridge.module.quiet").length;
  const others = heard();
  for (let message = 0; message < 20; message++) expect((await say("x", { act: "flood" })).status).toBe(200);
  await waitFor("the other module's lines", () => heard() === others + 20);
  const lines = () =>
    logged(server, "synapse_module_bridge.module.echoes").filter((line) => line.includes("xxxx"));
  const told = () =>
    logged(server, "lines of the log of this module were dropped")
      .map((line) => Number(/(\d+) lines of the log/.exec(line)?.[1]))
      .reduce((sum, count) => sum + count, 0);
  await waitFor("each of its lines, or word of it", () => lines().length + told() === 400, 20_000);
  expect(await dropped()).toBe(before + told());
  for (const line of lines()) expect(line).toContain(" INFO ");
  observed(17, { outcome: `200; ${lines().length} of 400 lines logged, ${told()} told as dropped` });
}, 60_000);

test("a long key with much below it holds nobody up where a module replaces the content", async () => {
  const below = Object.fromEntries(Array.from({ length: 2_500 }, (_, n) => [n, n]));
  const send = (act: string) =>
    measured(server, () => alice.send(room, { act, ["k".repeat(30_000)]: below }, "org.example.keys"));
  const alone = await send("pass");
  const { result, cost } = await send("replace");
  expect(result.status).toBe(200);
  // Synapse's push rules themselves make a path of each of the values.
  const tried = `a key of 30 KB with 2,500 values below it (Synapse alone: ${alone.cost.pauseMs.toFixed(0)} ms)`;
  observed(80, { outcome: "by the module", tried, ...cost });
});

// Broadcasts in the host: each module's handlers run one after another, after `setup`, and none holds up the rest for long.
import { expect, test } from "@jest/globals";
import type { BroadcastReply } from "../../../../bridge/catalogue/protocol.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { folder, rig } from "../each-rig.js";

const said = () => rig.lines.map(({ msg }) => msg);

async function load(...modules: [name: string, text: string][]): Promise<void> {
  await rig.load(
    modules.map(([name, text]) => ({ path: folder.write(`${name}.ts`, `export default { ${text} };`) })),
  );
}

const tell = (module: string, topic: string, value: unknown = null): Promise<BroadcastReply> =>
  rig.shim.sendRequest("broadcast", { module, topic, value });

test("a handler gets the value, and the context of its module", async () => {
  await load([
    "plain",
    `setup: () => ({ n: 1 }), broadcasts: { t(value, { data, log, config, api, signal }) {
       log.info([JSON.stringify(value), data.n, typeof config, api.server_name, signal.aborted].join(" ")); } }`,
  ]);
  expect(await tell("plain", "t", { a: [1] })).toEqual({ outcome: "done" });
  await waitFor("the line", () => said().includes('{"a":[1]} 1 object example.org false'));
});

test("it waits for setup, and for the next attempt of one that has failed", async () => {
  await load([
    "late",
    `async setup() {
       globalThis.tries = (globalThis.tries ?? 0) + 1;
       await new Promise((resolve) => setTimeout(resolve, 50));
       if (globalThis.tries === 1) throw new Error("not yet");
       return "ready";
     },
     broadcasts: { t: (value, { data, log }) => log.info(value + " " + data) }`,
  ]);
  // During the first attempt, which fails: the next one reads anew.
  expect(await tell("late", "t", 1)).toEqual({ outcome: "not_set_up" });
  await waitFor("the second attempt", async () => (await tell("late", "t", 2)).outcome === "done");
  await waitFor("the line", () => said().includes("2 ready"));
});

test("one module's handlers run in order, and another module's meanwhile", async () => {
  const text = (name: string) =>
    `broadcasts: {
       async slow(ms, { log }) { await new Promise((resolve) => setTimeout(resolve, ms)); log.info("${name} slow"); },
       quick(_, { log }) { log.info("${name} quick"); } }`;
  await load(["one", text("one")], ["two", text("two")]);
  await Promise.all([tell("one", "slow", 200), tell("one", "quick"), tell("two", "quick")]);
  await waitFor("three lines", () => said().filter((msg) => /slow|quick/.test(`${msg}`)).length === 3);
  expect(said().filter((msg) => /slow|quick/.test(`${msg}`))).toEqual(["two quick", "one slow", "one quick"]);
});

test("one that throws is told and logged, and the next one runs", async () => {
  await load([
    "broken",
    `broadcasts: { t() { throw new Error("cannot"); }, async u() { throw "no error"; }, v() {} }`,
  ]);
  const outcomes = await Promise.all(["t", "u", "v"].map((topic) => tell("broken", topic)));
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "done"]);
  await waitFor("the line", () =>
    said().some((msg) => /broken: broadcasts\.t threw .*cannot/.test(`${msg}`)),
  );
});

test("one that takes too long is given up, its signal aborts, and the next one runs", async () => {
  await load([
    "hanging",
    `broadcasts: {
       t: (_, { signal, log }) => new Promise(() => signal.addEventListener("abort", () => log.info("aborted"))), u() {} }`,
  ]);
  const outcomes = await Promise.all(["t", "u"].map((topic) => tell("hanging", topic)));
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["late", "done"]);
  await waitFor("the lines", () => said().includes("aborted"));
  expect(said()).toContain("hanging: broadcasts.t has not ended within 5 s; the next one is delivered");
}, 15_000);

test.each([
  ["a topic that the module does not have", "some", "other"],
  ["a module that is not here", "none", "t"],
  ["a name that every object has", "some", "constructor"],
])("%s is passed over", async (_, module, topic) => {
  await load(["some", "broadcasts: { t() {} }"]);
  expect(await tell(module, topic)).toEqual({ outcome: "undeclared" });
});

test.each([
  ["broadcasts: 3", "broadcasts must be an object"],
  ["broadcasts: { t: 3 }", "broadcasts.t must be a function"],
  ["broadcast: { t() {} }", "unknown key broadcast (did you mean broadcasts?)"],
])("a wrong declaration is a startup problem: %s", async (text, problem) => {
  const path = folder.write("wrong.ts", `export default { ${text} };`);
  const { faults } = await rig.initialize([{ path }]);
  expect(faults.map(({ message }) => message).join()).toContain(problem);
});

test("the manifest has the topics", async () => {
  const path = folder.write("declares.ts", "export default { broadcasts: { a() {}, 'b c': () => {} } };");
  const { modules } = await rig.initialize([{ path }]);
  expect(modules.map(({ broadcasts }) => broadcasts)).toEqual([["a", "b c"]]);
});

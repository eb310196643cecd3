// What the host finds out about modules that are off, without running their `setup`, whatever their files do.
import { rmSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { ModuleSettings } from "../../../../bridge/declarations/module.js";
import { ask, folder, host, initialize, inviting, load, start, stop } from "../real-host.js";

const off = (path: string): ModuleSettings => ({ path, mode: "off" });
const sound = (name: string) => inviting(name, `return "${name}";`);
const threads = async (): Promise<unknown> => {
  await host.shim.sendNotification("start", {});
  const pulse = await new Promise<{ threads?: unknown }>((resolve) =>
    host.shim.onNotification("pulse", resolve),
  );
  return pulse.threads;
};

test("a module that is off declares what it would do, and nothing of it runs", async () => {
  const path = folder.write(
    "off/quiet.ts",
    `export default { setup() { process.exit(7); }, callbacks: { user_may_invite: () => "x" }, web_resources: { "/_synapse/client/q": () => 1 } };`,
  );
  const { modules, faults, broken } = await initialize([off(path), { path: sound("on") }]);
  expect([faults, broken]).toEqual([[], []]);
  expect(
    modules.map(({ name, callbacks, web_resources }) => [name, Object.keys(callbacks), web_resources]),
  ).toEqual([
    ["quiet", ["user_may_invite"], ["/_synapse/client/q"]],
    ["on", ["user_may_invite"], []],
  ]);
  expect(await threads()).toEqual([]);
  expect(await ask(["on"])).toMatchObject({ answer: "on" });
});

// A module that goes on for ever is waited for; others may take long on a busy machine.
test.each([
  ["half a file", "export default {", /broken\.ts/],
  ["an error", "throw new Error('of the list');", /of the list/],
  ["an exit", "process.exit(3);", /its thread ended while it loaded this module \(it called process\.exit/],
  ["a loop", "for (;;);", /was not loaded within|event loop blocked/, 6_000],
  ["a wait", "await new Promise(() => {});", /was not loaded within/, 6_000],
  [
    "a callback that there is not",
    "export default { callbacks: { nonsense() {} } };",
    /unknown callback nonsense/,
  ],
])(
  "%s in a module that is off is told, and stops nothing",
  async (_, text, why, start_timeout_ms = 90_000) => {
    const path = folder.write("off/broken.ts", text);
    const { modules, faults, broken } = await initialize([off(path), { path: sound("on") }], {
      start_timeout_ms,
    });
    expect(faults).toEqual([]);
    expect(broken).toEqual([{ path: ["modules", 0, "path"], message: expect.stringMatching(why) }]);
    expect(modules.map(({ name, callbacks }) => [name, Object.keys(callbacks)])).toEqual([
      ["broken", []],
      ["on", ["user_may_invite"]],
    ]);
    await host.shim.sendNotification("start", {});
    expect(await ask(["on"])).toMatchObject({ answer: "on" });
  },
);

test("a module that could not run beside the others is told, too", async () => {
  const serving = `export default { callbacks: {}, web_resources: { "/_synapse/client/same": () => 1 } };`;
  const paths = ["one", "other"].map((name) => folder.write(`off/${name}.ts`, serving));
  const [one = "", other = ""] = paths;
  const { faults, broken } = await initialize([off(one), { path: other }]);
  expect(faults).toEqual([]);
  expect(broken).toEqual([
    {
      path: ["modules", 0, "path"],
      message: "one and other both have the web resource /_synapse/client/same: Synapse would serve one",
    },
  ]);
});

test("a restart runs it from what was read while it was off, and leaves out what is off", async () => {
  const [first, second] = ["first", "second"].map(sound) as [string, string];
  const { snapshot = [] } = await initialize([off(first), { path: second }]);
  for (const path of [first, second]) rmSync(path);
  await stop();
  start();
  await load([{ path: first }, off(second)], { snapshot });
  expect(await ask(["first"])).toMatchObject({ answer: "first" });
});

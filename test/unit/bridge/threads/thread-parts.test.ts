// What a thread is given to load its modules from, and how long it may take, where it takes the place of another.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { Part } from "../../../../bridge/catalogue/protocol.js";
import { ask, folder, initialize, inviting, load, logged, start, stop } from "../real-host.js";
import { errorOf } from "../rig.js";
import { INVITE } from "../samples.js";

const BAD = { params: { ...INVITE, room_id: "!bad" } };
const ENDS = `if (params.room_id === "!bad") process.exit(1);`;

async function recorded(modules: Parameters<typeof initialize>[0]): Promise<Part[]> {
  const { snapshot = [], faults } = await initialize(modules);
  expect(faults).toEqual([]);
  await stop();
  start();
  return snapshot;
}

test("a thread reads what its own modules were loaded from, and nothing of others", async () => {
  const main = { path: inviting("main", "return NOT_SPAM;") };
  const shadows = ["a", "b"].map((name) => ({
    path: inviting(name, `${ENDS} return "${name}";`),
    mode: "shadow" as const,
  }));
  const snapshot = await recorded([main, ...shadows]);
  expect(snapshot.map(({ names }) => names)).toEqual([["main"], ["a", "b"]]);
  for (const { path } of shadows) rmSync(path);
  // It would be a fault to read this.
  const broken = snapshot.map((part) => (part.names.includes("main") ? { ...part, text: "!" } : part));
  await load(shadows, { snapshot: broken });
  await errorOf(ask(["a"], BAD));
  await logged("the thread of a, b is back");
  expect(await ask(["b"])).toMatchObject({ answer: "b" });
  // One for suspects, too.
  expect(await ask(["a", "b"], { apart: { linger_ms: 0 } })).toMatchObject({ answer: "a" });
});

test("a module that gets a thread of its own at a restart comes from the part of those that it was loaded with", async () => {
  const modules = ["main", "other"].map((name) => ({ path: inviting(name, `${ENDS} return "${name}";`) }));
  const snapshot = await recorded(modules);
  for (const { path } of modules) rmSync(path);
  const [main, other] = modules as [{ path: string }, { path: string }];
  await load([main, { ...other, isolated: true }], { snapshot });
  for (const name of ["main", "other"]) expect(await ask([name])).toMatchObject({ answer: name });
  await errorOf(ask(["other"], BAD));
  await logged("the thread of other is back");
  expect(await ask(["other"])).toMatchObject({ answer: "other" });
});

test("a module that is too large to be kept beside others is as it was at a restart, by what is told of its files", async () => {
  const sizes = { small: 14, large: 18 };
  const modules = Object.entries(sizes).map(([name, megabytes]) => {
    const data = `${folder.root}/node_modules/${name}/data.json`;
    folder.write(
      `node_modules/${name}/data.json`,
      JSON.stringify({ data: randomBytes(megabytes << 20).toString("base64") }),
    );
    const before = `const { data } = require(${JSON.stringify(data)});`;
    return { path: inviting(name, "return String(data.length);", before), isolated: true };
  });
  const first = await initialize(modules);
  expect(first.faults).toEqual([]);
  const [small, large] = first.modules;
  expect([small?.not_kept, large?.not_kept]).toEqual([[], ["all that it was loaded from"]]);
  const line = await logged("is too large to be kept");
  expect(line.msg).toBe(
    "large: what it was loaded from is too large to be kept: a restart of Node takes it from disk",
  );
  await stop();
  start();
  const again = await initialize(modules, { snapshot: first.snapshot });
  const filesOf = ({ modules }: typeof first) => modules.map(({ files, packages }) => [files, packages]);
  expect(filesOf(again)).toEqual(filesOf(first));
}, 60_000);

test("a thread that takes the place of another has as long as `start_timeout` allows", async () => {
  const hold = `${folder.root}/hold`;
  const waits = `import { existsSync } from "node:fs"; import { setTimeout } from "node:timers/promises";
    while (existsSync(${JSON.stringify(hold)})) await setTimeout(10);`;
  await load([{ path: inviting("slow", `${ENDS} return NOT_SPAM;`, waits), isolated: true }], {
    start_timeout_ms: 2_000,
  });
  folder.write("hold", "");
  await errorOf(ask(["slow"], BAD));
  await logged("the thread of slow has ended (it was not loaded within 2 s)");
  rmSync(hold);
  await logged("the thread of slow is back");
  expect(await ask(["slow"])).toMatchObject({ answer: "NOT_SPAM" });
}, 20_000);

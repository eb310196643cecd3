// Loads modules in a real Node, by its own rules of resolution, for the tests of one file.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect } from "@jest/globals";
import type { Fault, ModuleSettings } from "../../bridge/module.js";
import { type Bundle, bundle } from "./bundle.js";
import { temporaryFolder } from "./rig.js";

interface Loaded {
  modules: { name: string; answer?: unknown }[];
  faults: Fault[];
}

export const folder = temporaryFolder();
let code: Bundle;
let child: ChildProcess;
let answers: AsyncIterator<string>;

beforeAll(() => {
  code = bundle("test/host/load-child.ts");
  const started = spawn(process.execPath, [code.file], { stdio: ["pipe", "pipe", "inherit"] });
  answers = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  child = started;
});

afterAll(() => {
  child.stdin?.end();
  code.remove();
  folder.remove();
});

export async function load(...modules: ModuleSettings[]): Promise<Loaded> {
  child.stdin?.write(`${JSON.stringify(modules)}\n`);
  return JSON.parse((await answers.next()).value);
}

export async function faultsOf(name: string, text: string, settings: Partial<ModuleSettings> = {}) {
  const { faults } = await load({ path: folder.write(name, text), ...settings });
  return faults.map(({ path, message }) => `${path.join(".")}: ${message.replaceAll(`${folder.root}/`, "")}`);
}

export async function answerOf(path: string): Promise<unknown> {
  const { modules, faults } = await load({ path });
  expect(faults).toEqual([]);
  return modules[0]?.answer;
}

// Loads modules in a real Node, by its own rules of resolution, for the tests of one file.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect } from "@jest/globals";
import type { StartupProblem } from "../../../bridge/catalogue/protocol.js";
import type { ModuleSettings } from "../../../bridge/declarations/module.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { type Bundle, bundle } from "./bundle.js";

export interface Loaded {
  modules: { name: string; answer?: unknown; digests: Record<string, string>; notKept: string[] }[];
  faults: StartupProblem[];
  warnings: string[];
  snapshot?: string;
}

export const folder = temporaryFolder();
let code: Bundle;
let child: ChildProcess;
let answers: AsyncIterator<string>;

beforeAll(() => {
  code = bundle("test/unit/bridge/load-child.ts");
  const started = spawn(process.execPath, [code.file], { stdio: ["pipe", "pipe", "inherit"] });
  answers = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  child = started;
});

afterAll(() => {
  child.stdin?.end();
  code.remove();
  folder.remove();
});

export async function load(...settings: ModuleSettings[]): Promise<Loaded> {
  child.stdin?.write(`${JSON.stringify({ settings })}\n`);
  return JSON.parse((await answers.next()).value);
}

/** The same in a process that has loaded nothing before; from a snapshot, if one is given. */
export function loadApart(
  settings: ModuleSettings[],
  snapshot?: string,
  env: NodeJS.ProcessEnv = {},
): Loaded {
  const input = JSON.stringify({ settings, snapshot });
  const { stdout, stderr, status } = spawnSync(process.execPath, [code.file], {
    ...{ input, env: { ...process.env, ...env }, encoding: "utf8", maxBuffer: 1 << 28 },
  });
  if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
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

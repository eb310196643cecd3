// Runs the wheel's command, or a Python script, in forks of a process that has imported Synapse. Each test file has one such
// process.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll } from "@jest/globals";
import { harnessFile, venvPython } from "./paths.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface Run {
  code: number | null;
  out: string;
  err: string;
}

// For what the forks print: outside of the folder that a test looks at.
const told = temporaryFolder();
let forks: ChildProcess | undefined;
let codes: AsyncIterator<string>;
afterAll(() => {
  forks?.stdin?.end();
  told.remove();
});

/** Runs the wheel's command, or `script`, in this folder. The next run must begin after the end of this one. */
export async function fork(
  args: readonly string[],
  folder: string,
  script: string | null = null,
): Promise<Run> {
  if (!forks) {
    forks = spawn(venvPython(), [harnessFile("forks.py")], { stdio: ["pipe", "pipe", "inherit"] });
    codes = createInterface({ input: forks.stdout as Readable })[Symbol.asyncIterator]();
  }
  const [out, err] = ["out", "err"].map((name) => told.path(name)) as [string, string];
  forks.stdin?.write(`${JSON.stringify({ args, script, folder, out, err })}\n`);
  const code = Number((await codes.next()).value);
  return { code, out: readFileSync(out, "utf8"), err: readFileSync(err, "utf8") };
}

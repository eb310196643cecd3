// Runs the command, of npm's package or of the wheel, as a person does, in a temporary folder, for the tests of one file.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll } from "@jest/globals";
import { venvPython } from "../../../support/paths.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { type Bundle, bundle } from "../bundle.js";

const FORKS = path.join(import.meta.dirname, "forks.py");

export const folder = temporaryFolder();
// Outside of what is checked.
const told = temporaryFolder();
let code: Bundle;
beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
  told.remove();
});

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** The command as a program and its arguments. */
export function command(args: string[]): string[] {
  return [process.execPath, code.file, ...args];
}

/** Runs the command in the temporary folder, with its output into a pipe to another program if one is given. */
export function run(args: string[], input = "", { through = "" } = {}): Promise<Run> {
  const whole = command(args);
  return runProgram(through ? ["sh", "-c", `"$@" | ${through}`, "sh", ...whole] : whole, input);
}

/** The wheel's command as a program and its arguments. */
export function wheelCommand(args: string[]): string[] {
  return [venvPython(), "-m", "synapse_module_bridge", ...args];
}

let forks: ChildProcess | undefined;
let codes: AsyncIterator<string>;
afterAll(() => void forks?.stdin?.end());

/** Runs the wheel's command in the temporary folder. Synapse, which it imports, is imported once for a test file. */
export function runWheel(args: string[]): Promise<Run> {
  return fork(args, null);
}

/** Runs a script of Python's there, which may import Synapse. */
export function runPython(script: string, args: readonly string[]): Promise<Run> {
  return fork(args, script);
}

async function fork(args: readonly string[], script: string | null): Promise<Run> {
  if (!forks) {
    forks = spawn(venvPython(), [FORKS], { stdio: ["pipe", "pipe", "inherit"] });
    codes = createInterface({ input: forks.stdout as Readable })[Symbol.asyncIterator]();
  }
  const [out, err] = ["out", "err"].map((name) => told.path(name)) as [string, string];
  forks.stdin?.write(`${JSON.stringify({ args, script, folder: folder.root, out, err })}\n`);
  const code = Number((await codes.next()).value);
  return { code, out: readFileSync(out, "utf8"), err: readFileSync(err, "utf8") };
}

function runProgram([program = "", ...rest]: string[], input: string): Promise<Run> {
  const child = spawn(program, rest, { cwd: folder.root, timeout: 60_000 });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (status) => resolve({ code: status, out, err })));
}

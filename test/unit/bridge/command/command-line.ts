// Runs the command, of npm's package or of the wheel, as a person does, in a temporary folder, for the tests of one file.
import { spawn } from "node:child_process";
import { afterAll, beforeAll } from "@jest/globals";
import { fork, type Run } from "../../../support/forks.js";
import { venvPython } from "../../../support/paths.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { type Bundle, bundle } from "../bundle.js";

export const folder = temporaryFolder();
let code: Bundle;
beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
});

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

/** Runs the wheel's command in the temporary folder. Synapse, which it imports, is imported once for a test file. */
export function runWheel(args: string[]): Promise<Run> {
  return fork(args, folder.root);
}

/** Runs a script of Python's there, which may import Synapse. */
export function runPython(script: string, args: readonly string[]): Promise<Run> {
  return fork(args, folder.root, script);
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

// Runs the command as a person does, in a temporary folder, for the tests of one file.
import { spawn } from "node:child_process";
import { afterAll, beforeAll } from "@jest/globals";
import { type Bundle, bundle } from "./bundle.js";
import { temporaryFolder } from "./rig.js";

export const folder = temporaryFolder();
let code: Bundle;
beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
});

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command in the temporary folder, with its output into a pipe to another program if one is given. */
export function run(args: string[], input = "", { through = "" } = {}): Promise<Run> {
  const command = [process.execPath, code.file, ...args];
  const [program = "", ...rest] = through ? ["sh", "-c", `"$@" | ${through}`, "sh", ...command] : command;
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

// Runs the wheel's command `mode`, as an admin does beside Synapse.
import { execFile } from "node:child_process";
import { shim } from "./bridge.js";
import { venvPython } from "./paths.js";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `packages` is where psycopg2 is, if the database is PostgreSQL. */
export function modeCommand(args: readonly string[], cwd: string, packages?: string): Promise<Ran> {
  const PYTHONPATH = [shim, ...(packages === undefined ? [] : [packages])].join(":");
  const options = { cwd, env: { ...process.env, PYTHONPATH } };
  return new Promise((resolve) => {
    execFile(
      venvPython(),
      ["-m", "synapse_module_bridge", "mode", ...args],
      options,
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

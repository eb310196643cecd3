// Checks the types of a folder's files with the project's own tsc.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "./paths.js";

/** What tsc prints for the folder's tsconfig.json; nothing where all is well. */
export function typeCheck(folder: string): Promise<string> {
  const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [tsc, "-p", folder, "--pretty", "false"],
      { cwd: folder, timeout: 50_000 },
      (_, stdout) => resolve(stdout),
    );
  });
}

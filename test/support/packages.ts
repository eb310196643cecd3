// Installs Python packages that only a few tests need into a folder of their own, which PYTHONPATH can name.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectRoot, venvPython } from "./paths.js";

const execute = promisify(execFile);

/** The folder with exactly what a requirements file names; it is kept for the next time. */
export async function installPackages(requirements: string): Promise<string> {
  const { stdout: version } = await execute(venvPython(), ["--version"]);
  const hash = createHash("sha256").update(version).update(readFileSync(requirements)).digest("hex");
  const name = `${basename(requirements, ".txt")}-${hash.slice(0, 12)}`;
  const folder = join(projectRoot, "node_modules/.cache/synapse-module-bridge", name);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Renamed into place: what was interrupted is not taken for whole, and two tests may want the same.
  const draft = mkdtempSync(`${folder}.`);
  try {
    const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input"];
    await execute(venvPython(), [
      ...pip,
      ...["--prefer-binary", "--no-deps", "--target", join(draft, "packages"), "-r", requirements],
    ]);
    if (!existsSync(folder)) renameSync(join(draft, "packages"), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

// Unpacks Debian packages that only a few tests need into a folder of their own. Nothing is installed, and no service starts.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "./paths.js";

const execute = promisify(execFile);

/** The folder with the files of these packages, but not of those that they depend on; it is kept for the next time. */
export async function unpackDebian(...names: readonly string[]): Promise<string> {
  const folder = join(projectRoot, "node_modules/.cache/synapse-module-bridge", `debian-${names.join("-")}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Renamed into place: what was interrupted is not taken for whole, and two tests may want the same.
  const draft = mkdtempSync(`${folder}.`);
  const [archives, files] = [join(draft, "archives"), join(draft, "files")];
  try {
    mkdirSync(archives);
    await download(names, archives);
    for (const archive of readdirSync(archives))
      await execute("dpkg-deb", ["--extract", join(archives, archive), files]);
    if (!existsSync(folder)) renameSync(files, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

async function download(names: readonly string[], folder: string): Promise<void> {
  const get = () => execute("apt-get", ["download", ...names], { cwd: folder });
  // A new machine has no list of packages, and an old list names versions that are gone.
  await get().catch(async () => {
    await execute("apt-get", ["update"]);
    await get();
  });
}

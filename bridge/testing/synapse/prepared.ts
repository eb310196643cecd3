// Gives an installed Synapse with a database that is ready: without one, each server makes its tables anew, and works on them
// for some time after its start.
import { closeSync, copyFileSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { temporaryFolder } from "./folders.js";
import { writeConfig } from "./homeserver-yaml.js";
import { cacheFolder, type Installation, installSynapse } from "./installation.js";
import { startProcess } from "./synapse-process.js";
import { waitFor } from "./wait.js";

export interface Prepared extends Installation {
  /** The file to start from; undefined where there is none yet. It names no server and has no users. */
  readonly database?: string;
}

// It takes some seconds. Who has died meanwhile leaves its mark behind.
const LIMIT_MS = 120_000;
const IDLE = "No more background updates to do";
const DATABASE = "hs.db";

/** Installs Synapse and prepares its database, if that was not done yet: see `installSynapse`. */
export async function prepareSynapse(version?: string): Promise<Prepared> {
  const installation = await installSynapse(version);
  const database = path.join(cacheFolder(), `${installation.name}.db`);
  if (!existsSync(database)) await prepareDatabase(installation, database);
  return existsSync(database) ? { ...installation, database } : installation;
}

/** Where another process does so already, this one does not wait for it. */
async function prepareDatabase(installation: Installation, database: string): Promise<void> {
  const mark = `${database}.new`;
  if (existsSync(mark) && Date.now() - statSync(mark).mtimeMs > LIMIT_MS) rmSync(mark, { force: true });
  try {
    closeSync(openSync(mark, "wx"));
  } catch {
    return;
  }
  try {
    process.stderr.write(`preparing a database for Synapse ${installation.version}, once\n`);
    await runUntilIdle(installation, mark);
    if (statSync(mark).size > 0) renameSync(mark, database);
  } finally {
    rmSync(mark, { force: true });
  }
}

/** Starts a server without modules, lets it finish its tables, and copies its database. */
async function runUntilIdle({ python }: Installation, target: string): Promise<void> {
  const folder = temporaryFolder();
  try {
    const { configPath, logPath } = writeConfig({
      dir: folder.path,
      serverName: "test.localhost",
      modules: [],
      extraConfig: { background_updates: { sleep_enabled: false } },
      sharedSecret: "registration",
    });
    const server = await startProcess({
      ...{ python, app: "homeserver", dir: folder.path, configPaths: [configPath], logPath },
    });
    try {
      await waitFor("Synapse to finish its tables", () => server.log().includes(IDLE), LIMIT_MS);
    } finally {
      await server.stop();
    }
    const file = path.join(folder.path, DATABASE);
    // Where it did not end in good order, the file lacks what is in the log of writes.
    if (!existsSync(`${file}-wal`)) copyFileSync(file, target);
  } finally {
    folder.remove();
  }
}

/** Puts the database where a new server looks for it; not over one that is there. */
export function placeDatabase({ database }: Prepared, folder: string): void {
  const file = path.join(folder, DATABASE);
  if (database !== undefined && !existsSync(file)) copyFileSync(database, file);
}

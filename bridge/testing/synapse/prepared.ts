// Gives an installed Synapse with a database that is ready: without one, each server makes its tables anew, and works on them
// for some time after its start.
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describeThrown } from "../../base/thrown.js";
import { temporaryFolder } from "./folders.js";
import { writeConfig } from "./homeserver-yaml.js";
import { cacheFolder, type Installation, installSynapse } from "./installation.js";
import { startProcess } from "./synapse-process.js";
import { waitFor } from "./wait.js";

export interface Prepared extends Installation {
  /** The file to start from; undefined where there is none yet. It names no server and has no users. */
  readonly database?: string;
}

// It takes some seconds.
const LIMIT_MS = 120_000;
// More than starting, waiting and stopping may take together: another process may have the number of one that has died.
const MARK_MS = 600_000;
const IDLE = "No more background updates to do";
const DATABASE = "hs.db";

/** Installs Synapse and prepares its database, if that was not done yet: see `installSynapse`. */
export async function prepareSynapse(version?: string): Promise<Prepared> {
  return withDatabase(await installSynapse(version), cacheFolder());
}

/** Prepares the database of an installation and keeps it in a folder, if that was not done yet. */
export async function withDatabase(installation: Installation, folder: string): Promise<Prepared> {
  const database = path.join(folder, `${installation.name}.db`);
  if (!existsSync(database)) await prepareDatabase(installation, database);
  return existsSync(database) ? { ...installation, database } : installation;
}

/**
 * Where another process does so already, this one does not wait for it. Two that begin at the same moment do it twice, which
 * does no harm. Never rejects: without the database, servers only start more slowly.
 */
async function prepareDatabase(installation: Installation, database: string): Promise<void> {
  try {
    if (isBeingPrepared(database)) return;
    process.stderr.write(`preparing a database for Synapse ${installation.version}, once\n`);
    await makeDatabase(installation, database);
  } catch (error) {
    process.stderr.write(
      `it could not be prepared, so that each server makes its own: ${describeThrown(error)}\n`,
    );
  }
}

async function makeDatabase(installation: Installation, database: string): Promise<void> {
  const mark = `${database}.new-${process.pid}`;
  writeFileSync(mark, "");
  try {
    await runUntilIdle(installation, mark);
    if (statSync(mark).size > 0) renameSync(mark, database);
  } finally {
    removeQuietly(mark);
  }
}

/** Whether a process that lives is at it. Removes the marks of those that have died. */
function isBeingPrepared(database: string): boolean {
  const prefix = `${path.basename(database)}.new`;
  const marks = readdirSync(path.dirname(database)).filter((name) => name.startsWith(prefix));
  return marks.some((name) => {
    const mark = path.join(path.dirname(database), name);
    const written = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined) return false;
    const pid = Number(name.slice(prefix.length + 1));
    if (Date.now() - written < MARK_MS && lives(pid)) return true;
    removeQuietly(mark);
    return false;
  });
}

function lives(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The cache may be read-only, or be another user's.
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
  if (database === undefined || existsSync(file)) return;
  try {
    copyFileSync(database, file);
  } catch {
    // Synapse makes its tables itself where there is no file; half a file would end it.
    rmSync(file, { force: true });
  }
}

// Caches compiled TypeScript on disk. A host that finds all of its code there does not start the compiler, which takes half of
// the start-up time.
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { threadId } from "node:worker_threads";

// A change of bridge/compiler within a version needs a new folder name.
const FOLDER = "compiled-2";
// One file of a few KB for each version of each source.
const MOST_FILES = 500;

/**
 * Returns code that was compiled before; undefined also if the file was damaged, as a loss of power may leave it. `key` is a hash
 * of everything that the code depends on.
 */
export function readCompiled(folder: string, key: string): string | undefined {
  try {
    const text = readFileSync(path.join(folder, `${key}.js`), "utf8");
    const end = text.indexOf("\n");
    const code = text.slice(end + 1);
    return text.slice(0, end) === headOf(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** The first line of a file of the cache. */
function headOf(code: string): string {
  return `// ${createHash("sha256").update(code).digest("hex")}`;
}

/** Stores compiled code. A failure is ignored: the cache only saves time. */
export function writeCompiled(folder: string, key: string, code: string): void {
  const file = path.join(folder, `${key}.js`);
  const part = `${file}.${process.pid}-${threadId}`;
  try {
    writeFileSync(part, `${headOf(code)}\n${code}`);
    renameSync(part, file);
  } catch {
    // The disk may be full. The module runs all the same, and half a file must not run next time.
    remove(part);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A later sweep removes it.
  }
}

/** Finds a folder that only this user can write to, since the host runs what it contains. Undefined if there is none. */
export function compileCache(candidates: readonly string[] = usual()): string | undefined {
  const found = candidates.find(isPrivate);
  if (found !== undefined) sweep(found);
  return found;
}

function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // lstat, so that a symbolic link does not count.
    const stat = lstatSync(folder);
    const isOurs = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
    return isOurs && path.isAbsolute(folder) && parentsOf(realpathSync(folder)).every(keepsItsEntries);
  } catch {
    return false; // the user has no home folder, or the file system is read-only
  }
}

function parentsOf(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [] : [parent, ...parentsOf(parent)];
}

/** Whether no other user can replace an entry of this folder. */
function keepsItsEntries(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  const isSticky = (mode & 0o1000) !== 0;
  return (uid === 0 || uid === process.getuid?.()) && ((mode & 0o022) === 0 || isSticky);
}

/** Deletes the older half of too many files, so that this does not happen at each start. */
function sweep(folder: string): void {
  try {
    const names = readdirSync(folder);
    if (names.length <= MOST_FILES) return;
    const files = names.map((name) => path.join(folder, name));
    const byAge = files
      .map((file) => ({ file, time: statSync(file).mtimeMs }))
      .sort((a, b) => b.time - a.time);
    for (const { file } of byAge.slice(MOST_FILES / 2)) rmSync(file);
  } catch {
    // Another process may be sweeping too.
  }
}

/** The candidates. The first one survives a restart of the machine. */
function usual(): string[] {
  const name = "synapse-module-bridge";
  const temporary = path.join(tmpdir(), `${name}-${process.getuid?.()}`, FOLDER);
  try {
    return [path.join(homedir(), ".cache", name, FOLDER), temporary];
  } catch {
    return [temporary];
  }
}

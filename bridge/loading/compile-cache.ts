// Where compiled TypeScript is kept, so that a host that starts again need not compile, nor load the compiler, which is
// half of its start and a third of its memory.
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

// What lies there is taken unseen: another version of what unsupported-syntax.ts refuses, or of the compiler's options, needs
// another folder.
const CHECKED = "checked-1";
// A file for each source that was ever loaded, of some KB.
const MOST_FILES = 500;

/** The code that was compiled before. `key` stands for all that it was made of. */
export function readCompiled(folder: string, key: string): string | undefined {
  try {
    return readFileSync(path.join(folder, `${key}.js`), "utf8");
  } catch {
    return undefined;
  }
}

export function writeCompiled(folder: string, key: string, code: string): void {
  const file = path.join(folder, `${key}.js`);
  const part = `${file}.${process.pid}-${threadId}`;
  try {
    writeFileSync(part, code);
    renameSync(part, file);
  } catch {
    // A full disk is no reason not to run a module; nor may half of its code be run another time.
    remove(part);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It is swept out some day.
  }
}

/** A folder that is this user's alone, since what lies there is run; undefined where there is none. */
export function compileCache(candidates: readonly string[] = usual()): string | undefined {
  const found = candidates.find(isPrivate);
  if (found !== undefined) sweep(found);
  return found;
}

function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Not what a link points to.
    const stat = lstatSync(folder);
    const isOurs = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
    return isOurs && path.isAbsolute(folder) && parentsOf(realpathSync(folder)).every(keepsItsEntries);
  } catch {
    return false; // a user without a home, a file system that is read only
  }
}

function parentsOf(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [] : [parent, ...parentsOf(parent)];
}

/** Whether nobody else can put another folder in the place of one that is in it. */
function keepsItsEntries(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  const isSticky = (mode & 0o1000) !== 0;
  return (uid === 0 || uid === process.getuid?.()) && ((mode & 0o022) === 0 || isSticky);
}

/** Of too many files the younger half stays, so that not each start has to look at all of them. */
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
    // Another process sweeps, too.
  }
}

/** What outlives a restart of the machine comes first. */
function usual(): string[] {
  const name = "synapse-module-bridge";
  const temporary = path.join(tmpdir(), `${name}-${process.getuid?.()}`, CHECKED);
  try {
    return [path.join(homedir(), ".cache", name, CHECKED), temporary];
  } catch {
    return [temporary];
  }
}

// Notices saves. It looks again and again: that works however an editor saves, and on every file system.
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MS = 120;
// Looking takes at most this share of the time.
const SHARE = 0.1;
const SOURCES = /\.([mc]?[jt]sx?|json|ya?ml|wasm)$/;
// In a larger folder, only the first ones are watched, those nearest to its top.
const MOST_FILES = 5_000;
// Of any kind: a folder may have all that somebody owns.
const MOST_ENTRIES = 50_000;
// How long to wait for the end of changes: something may write into the folder all the time.
const LONGEST_MS = 1_000;

export class Saves {
  #watched: readonly string[] = [];
  #seen = new Map<string, string>();

  readonly #leftOut: ReadonlySet<string>;

  /** `leftOut` are folders that nobody saves in. */
  constructor(watched: readonly string[], leftOut: readonly string[] = []) {
    this.#leftOut = new Set([...leftOut, ...leftOut.map(realPath)]);
    this.watch(watched);
  }

  /** Watches these from now on. No save is lost of what it has watched before. */
  watch(watched: readonly string[]): void {
    this.#watched = watched;
    this.#seen = new Map([...this.#look()].map(([file, signs]) => [file, this.#seen.get(file) ?? signs]));
  }

  /** Waits for a save. Resolves with the files once no more follow, or after a second. */
  async next(): Promise<string[]> {
    const changed = new Set<string>();
    let first = Number.POSITIVE_INFINITY;
    for (;;) {
      const began = performance.now();
      const now = this.#look();
      const news = differing(this.#seen, now);
      this.#seen = now;
      for (const file of news) changed.add(file);
      if (news.length > 0) first = Math.min(first, began);
      if (changed.size > 0 && (news.length === 0 || began - first > LONGEST_MS)) return [...changed];
      // Once more at once after a change: an editor may write a file in two steps.
      const least = changed.size > 0 ? LOOK_MS / 4 : LOOK_MS;
      await pause(Math.max(least, (performance.now() - began) / SHARE));
    }
  }

  /** Each file with its time and size. */
  #look(): Map<string, string> {
    const found = new Map<string, string>();
    // Folders come after the files above them, so that a limit leaves out what is deep down.
    const folders = new Set<string>();
    for (const place of this.#watched) if (!note(place, found)) folders.add(place);
    let entries = 0;
    // It also gives those that are added meanwhile.
    for (const folder of folders) {
      if (this.#leftOut.has(folder)) continue;
      for (const entry of entriesOf(folder)) {
        if (found.size >= MOST_FILES || ++entries > MOST_ENTRIES) return found;
        const { name } = entry;
        if (name === "node_modules" || name.startsWith(".")) continue;
        const place = path.join(folder, name);
        if (entry.isDirectory()) folders.add(place);
        // A link to a file is followed, but none to a folder: it may lead to many files, or in a circle.
        else if (SOURCES.test(name)) note(place, found);
      }
    }
    return found;
  }
}

/** Notes a file; false for what is no file, or has gone. */
function note(place: string, found: Map<string, string>): boolean {
  try {
    const stat = statSync(place);
    if (stat.isDirectory()) return false;
    found.set(place, `${stat.mtimeMs} ${stat.size} ${stat.ino}`);
    return true;
  } catch {
    return false;
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // it has gone meanwhile, or is somebody else's
  }
}

function differing(before: Map<string, string>, now: Map<string, string>): string[] {
  const changed = [...now].filter(([file, signs]) => before.get(file) !== signs);
  const gone = [...before.keys()].filter((file) => !now.has(file));
  return [...changed.map(([file]) => file), ...gone];
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

// Notices saves. It looks again and again: that works however an editor saves, and on every file system.
import { type Dirent, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MS = 120;
// Looking takes at most this share of the time.
const SHARE = 0.1;
const SOURCES = /\.([mc]?[jt]sx?|json|ya?ml|wasm)$/;
// In a larger folder, only the first ones are watched.
const MOST_FILES = 5_000;

export class Saves {
  #watched: readonly string[] = [];
  #seen = new Map<string, string>();

  /** `leftOut` is a folder that nobody saves in. */
  constructor(
    watched: readonly string[],
    private readonly leftOut?: string,
  ) {
    this.watch(watched);
  }

  /** Watches these from now on. No save is lost of what it has watched before. */
  watch(watched: readonly string[]): void {
    this.#watched = watched;
    this.#seen = new Map([...this.#look()].map(([file, signs]) => [file, this.#seen.get(file) ?? signs]));
  }

  /** Waits for a save. Resolves with the files once no more follow. */
  async next(): Promise<string[]> {
    const changed = new Set<string>();
    for (;;) {
      const began = performance.now();
      const now = this.#look();
      const news = differing(this.#seen, now);
      this.#seen = now;
      for (const file of news) changed.add(file);
      if (changed.size > 0 && news.length === 0) return [...changed];
      // Once more at once after a change: an editor may write a file in two steps.
      const least = changed.size > 0 ? LOOK_MS / 4 : LOOK_MS;
      await pause(Math.max(least, (performance.now() - began) / SHARE));
    }
  }

  /** Each file with its time and size. */
  #look(): Map<string, string> {
    const found = new Map<string, string>();
    for (const place of this.#watched) this.#note(place, found, true);
    return found;
  }

  #note(place: string, found: Map<string, string>, isGiven: boolean): void {
    if (found.size >= MOST_FILES || place === this.leftOut) return;
    let entries: Dirent[];
    try {
      const stat = statSync(place);
      if (!stat.isDirectory()) {
        if (isGiven || SOURCES.test(place)) found.set(place, `${stat.mtimeMs} ${stat.size} ${stat.ino}`);
        return;
      }
      entries = readdirSync(place, { withFileTypes: true });
    } catch {
      return; // it has gone meanwhile
    }
    for (const entry of entries) {
      const { name } = entry;
      // A link to a file is followed, but none to a folder: it may lead to many files, or in a circle.
      if (name === "node_modules" || name.startsWith(".") || isLinkedFolder(place, entry)) continue;
      this.#note(path.join(place, name), found, false);
    }
  }
}

function differing(before: Map<string, string>, now: Map<string, string>): string[] {
  const changed = [...now].filter(([file, signs]) => before.get(file) !== signs);
  const gone = [...before.keys()].filter((file) => !now.has(file));
  return [...changed.map(([file]) => file), ...gone];
}

const isLinkedFolder = (place: string, entry: Dirent) =>
  entry.isSymbolicLink() &&
  (statSync(path.join(place, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? true);

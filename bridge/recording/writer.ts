// Writes lines into files of a private folder, in the background: the files of all processes and threads together stay within
// an age and a size. It never waits for the disk: what the disk does not take in time is dropped, counted and reported.
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { type FileHandle, open, readdir, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { isMainThread, threadId } from "node:worker_threads";
import type { Recording } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";

// In characters: what may wait for the disk.
const MOST_WAITING = 16 * 1024 * 1024;
// A file is a part of the limit, so that the oldest part can go. It is large enough to be of use, and small enough to open.
const PARTS = 16;
const LEAST_FILE = 64 * 1024;
const MOST_FILE = 64 * 1024 * 1024;
// Each file also takes an entry of the folder, however small it is.
const MOST_FILES = 1_000;
// How much one writer may add before it looks at the folder again, as a part of the limit: 16 writers at once stay within
// the eighth that is left free.
const STEPS = 128;
const LEFT_FREE = 1 / 8;
// How long a file may be written, as a part of the time for which it is kept.
const SPANS = 8;
const LONGEST_SPAN_MS = 24 * 60 * 60 * 1_000;
const SWEEP_MS = 10 * 60 * 1_000;
// After an error of the disk, how long to drop lines before the next attempt.
const RETRY_MS = 10_000;
// How often drops are reported, and how long the first report waits for others.
const TELL_MS = 60_000;
const FIRST_TELL_MS = 1_000;
const DISK_FAILS = "the disk does not take them";
// <worker>.<when it was begun>.<process>.<thread>.jsonl
const NAME = /^[\w-]+\.(\d+)\.\d+\.\d+\.jsonl$/;

export interface WriterOptions {
  settings: Recording;
  /** The name of this process of Synapse. */
  worker: string;
  log: Logger;
  /** In milliseconds. */
  retry?: number;
}

interface OpenFile {
  handle: FileHandle;
  path: string;
  bytes: number;
  begun: number;
}

/** Returns what is wrong with the folder, and what to do. Makes it if there is none, unless it is only `examined`. */
export function prepareFolder(folder: string, examined = false): string | undefined {
  try {
    if (examined && !existsSync(folder)) return undefined;
    // mkdir gives no more than the process's umask allows, and does nothing if the folder exists.
    const made = examined ? undefined : mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) chmodSync(folder, 0o700);
    const { mode, uid } = statSync(folder);
    if ((mode & 0o077) !== 0)
      return `${folder} is open to other users, and a recording has what users write: \`chmod 700 ${folder}\`, or name a folder that does not exist yet`;
    const own = process.getuid?.();
    // Who checks is somebody else.
    return examined || own === undefined || uid === own
      ? undefined
      : `${folder} belongs to another user than Synapse's (uid ${own}): name another folder, or change its owner`;
  } catch (error) {
    return `${folder} cannot be made or read: ${(error as Error).message}: Synapse's user must be able to write there`;
  }
}

export class RecordingWriter {
  #waiting: string[] = [];
  #size = 0;
  #file: OpenFile | undefined;
  #lastBegun = 0;
  #sinceSweep = Number.POSITIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #closed = false;
  #downUntil = 0;
  #failed = false;
  #dropped = new Map<string, number>();
  #toldAt = Number.NEGATIVE_INFINITY;
  #telling: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Timeout;
  #heads = new Map<string, string>();
  /** The next file begins with the heads. The first one gets them as lines. */
  #needsHeads = false;
  readonly #fileBytes: number;
  readonly #span: number;

  constructor(private readonly options: WriterOptions) {
    const { keep_ms, limit_bytes } = options.settings;
    this.#fileBytes = Math.min(MOST_FILE, Math.max(LEAST_FILE, limit_bytes / PARTS));
    this.#span = Math.min(LONGEST_SPAN_MS, keep_ms / SPANS);
    this.#sweeping = setInterval(() => void this.#sweep(), Math.min(SWEEP_MS, Math.max(1_000, this.#span)));
    this.#sweeping.unref();
  }

  /** Takes a line without its end. Drops it if too much waits. */
  write(line: string): void {
    if (this.#closed) return;
    if (performance.now() < this.#downUntil) this.dropped(DISK_FAILS);
    else if (this.#size + line.length > MOST_WAITING) this.dropped("the disk is too slow");
    else this.#add(line);
  }

  #add(line: string): void {
    this.#waiting.push(line);
    this.#size += line.length + 1;
    // After this turn of the event loop, so that lines of the same turn are written together.
    this.#writing ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.#drain());
  }

  /** Takes a line that each further file of this writer begins with, in place of the one with the same key. */
  setHead(key: string, line: string): void {
    this.#heads.set(key, line);
    this.write(line);
  }

  /** Forgets the heads whose keys begin so. */
  dropHeads(prefix: string): void {
    for (const key of this.#heads.keys()) if (key.startsWith(prefix)) this.#heads.delete(key);
  }

  /** Counts a line that is not written. The log tells how many there were, and why. */
  dropped(why: string): void {
    this.#dropped.set(why, (this.#dropped.get(why) ?? 0) + 1);
    const pause = Math.max(FIRST_TELL_MS, this.#toldAt + TELL_MS - performance.now());
    this.#telling ??= setTimeout(() => this.#tell(), pause).unref();
  }

  /** Resolves when everything is written, or cannot be written. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    clearTimeout(this.#telling);
    await this.#writing;
    this.#tell();
    await this.#closeFile();
  }

  #tell(): void {
    this.#telling = undefined;
    if (this.#dropped.size === 0) return;
    const counts = [...this.#dropped].map(([why, count]) => `${count}: ${why}`).join("; ");
    this.options.log.warn(`some calls were not recorded: ${counts}`);
    this.#dropped.clear();
    this.#toldAt = performance.now();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#put(lines);
        if (this.#failed)
          this.options.log.info(`calls are recorded again in ${this.options.settings.folder}`);
        this.#failed = false;
      } catch (error) {
        await this.#fail(error as NodeJS.ErrnoException, lines.length);
      }
      this.#size = this.#waiting.reduce((sum, line) => sum + line.length + 1, 0);
    }
    this.#writing = undefined;
  }

  async #put(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    const file = await this.#current();
    // A write that the disk takes only in part must not be followed by others in the same file.
    await file.handle.appendFile(bytes);
    file.bytes += bytes.length;
    this.#sinceSweep += bytes.length;
    if (this.#sinceSweep > this.options.settings.limit_bytes / STEPS) await this.#sweep();
  }

  async #fail(error: NodeJS.ErrnoException, lines: number): Promise<void> {
    const { settings, log, retry = RETRY_MS } = this.options;
    this.#downUntil = performance.now() + retry;
    for (let line = 0; line < lines; line++) this.dropped(DISK_FAILS);
    if (!this.#failed)
      log.error(
        `recording into ${settings.folder} has stopped: ${error.message}; it goes on when the folder can be written again`,
      );
    this.#failed = true;
    this.#needsHeads = true;
    const empty = this.#file?.bytes === 0 ? this.#file.path : undefined;
    await this.#closeFile();
    // On a full disk, each attempt makes a file.
    if (empty !== undefined) await unlink(empty).catch(() => {});
    // It may be this recording that has filled the disk.
    await this.#sweep();
  }

  /** The file to write into. Each begins with the heads. */
  async #current(): Promise<OpenFile> {
    const file = this.#file;
    if (file) {
      const isDue = file.bytes >= this.#fileBytes || Date.now() - file.begun > this.#span;
      // Another process may have removed it as the oldest.
      if (!isDue && (await file.handle.stat()).nlink > 0) return file;
      await this.#closeFile();
    }
    const { settings, worker } = this.options;
    const name = worker.replaceAll(/[^\w-]/g, "_").slice(0, 100) || "main";
    const next = await this.#create(path.join(settings.folder, name));
    this.#file = next;
    const heads = this.#needsHeads ? [...this.#heads.values()] : [];
    this.#needsHeads = true;
    if (heads.length > 0) {
      const bytes = Buffer.from(`${heads.join("\n")}\n`);
      await next.handle.appendFile(bytes);
      next.bytes += bytes.length;
      this.#sinceSweep += bytes.length;
    }
    return next;
  }

  /** Makes a file that nobody has made before. */
  async #create(beginning: string): Promise<OpenFile> {
    const thread = isMainThread ? 0 : threadId;
    for (let begun = Math.max(Date.now(), this.#lastBegun + 1); ; begun++) {
      const file = `${beginning}.${begun}.${process.pid}.${thread}.jsonl`;
      try {
        const handle = await open(file, "ax", 0o600);
        this.#lastBegun = begun;
        return { handle, path: file, bytes: 0, begun };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => {});
  }

  /** Removes files that are too old, and the oldest ones while there is too much. */
  async #sweep(): Promise<void> {
    const { folder, keep_ms, limit_bytes } = this.options.settings;
    this.#sinceSweep = 0;
    try {
      const names = (await readdir(folder)).flatMap((name) => {
        const begun = NAME.exec(name)?.[1];
        return begun === undefined ? [] : [{ file: path.join(folder, name), begun: Number(begun) }];
      });
      names.sort((one, other) => other.begun - one.begun);
      let [total, files, isFull] = [0, 0, false];
      for (const { file, begun } of names) {
        const size = (await stat(file).catch(() => undefined))?.size ?? 0;
        // A file from the future was begun when the clock was wrong: nobody knows its age.
        const isTooOld = Math.abs(Date.now() - begun) > keep_ms;
        isFull ||= total + size > limit_bytes * (1 - LEFT_FREE) || files >= MOST_FILES;
        if (isTooOld || (isFull && file !== this.#file?.path)) await unlink(file).catch(() => {});
        else {
          total += size;
          files++;
        }
      }
    } catch {
      // A folder that cannot be read is reported when a line cannot be written.
    }
  }
}

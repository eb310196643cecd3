// Records everything that modules are loaded from, so that the next host can load the same, whatever is on disk by then: the
// text or the compiled code of each file, and the results of lookups in the file system.
import { createHash } from "node:crypto";
import path from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { LIMITS, type Part } from "../catalogue/protocol.js";

// The limit for decompression. The content of a snapshot never has more.
const MOST_BYTES = 1024 * 1024 * 1024;

/** The format of a file for which Node detects the format from the text. */
export const UNKNOWN = "unknown";
/** The prefix of the lookups of Node's ES module loader. */
export const RESOLVE = "resolve ";

export interface SnapshotFile {
  /** SHA-256 of its bytes. */
  digest: string;
  /** The module that loaded the file first. */
  owner: string;
  /** The text; absent if `code` is enough. */
  text?: string;
  /** The compiled code, for `import` and for `require`. */
  code?: Partial<Record<"import" | "require", string>>;
  /** Node's format of the file, if Node itself loads it. */
  format?: string;
}

export type LookupResult = { is: unknown } | { error: { code?: string; message: string } };

interface Contents {
  files: [string, SnapshotFile][];
  lookups: [string, LookupResult][];
  /** By module: the files that it needs. */
  used: [string, string[]][];
}

export class Snapshot {
  /** The module that is being loaded. */
  owner = "";
  #files: Map<string, SnapshotFile>;
  #lookups: Map<string, LookupResult>;
  #isRecording = true;
  #isReplaying = false;
  #used: Map<string, Set<string>>;
  // By module: what a restart has to take from disk.
  #leftOut = new Map<string, Set<string>>();

  constructor({ files, lookups, used }: Contents = { files: [], lookups: [], used: [] }) {
    this.#files = new Map(files);
    this.#lookups = new Map(lookups);
    this.#used = new Map(used.map(([owner, files]) => [owner, new Set(files)]));
  }

  /** Restores a snapshot, which then replays. Throws an Error if a text is not a snapshot. */
  static from(parts: readonly Pick<Part, "text">[]): Snapshot {
    const all = parts.map(({ text }) => readContents(text));
    const snapshot = new Snapshot({
      files: all.flatMap(({ files }) => files),
      lookups: all.flatMap(({ lookups }) => lookups),
      used: all.flatMap(({ used }) => used),
    });
    snapshot.#isRecording = false;
    snapshot.#isReplaying = true;
    return snapshot;
  }

  /** Whether it records what is loaded now. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** When replaying: the recorded file. */
  replayed(file: string): SnapshotFile | undefined {
    const recorded = this.#isReplaying ? this.#files.get(file) : undefined;
    return recorded?.text === undefined && recorded?.code === undefined ? undefined : recorded;
  }

  /** When replaying: the files and lookup results that Node's own loader needs. */
  forNode(): { files: string[]; lookups: [string, unknown][] } {
    if (!this.#isReplaying) return { files: [], lookups: [] };
    const keys = [...this.#lookups.keys()].filter((key) => key.startsWith(RESOLVE));
    return {
      files: [...this.#files].flatMap(([file, { format }]) => (format === undefined ? [] : [file])),
      lookups: keys.map((key) => [key, this.found(key)]),
    };
  }

  /** When replaying: the recorded result of a lookup, if it succeeded. */
  found(key: string): unknown {
    const result = this.#isReplaying ? this.#lookups.get(key) : undefined;
    return result && "is" in result ? result.is : undefined;
  }

  /** Returns or throws the recorded result of a lookup; else calls `find`, and records its result when recording. */
  lookUp<T>(key: string, find: () => T): T {
    const known = this.#isReplaying ? this.#lookups.get(key) : undefined;
    if (known) return resultOf(known) as T;
    if (!this.#isRecording) return find();
    try {
      const is = find();
      this.#lookups.set(key, { is });
      return is;
    } catch (error) {
      this.recordFailure(key, error);
      throw error;
    }
  }

  /** Like lookUp, for a lookup that is asynchronous. */
  async lookUpAsync<T>(key: string, find: () => Promise<T>): Promise<T> {
    const known = this.#isReplaying ? this.#lookups.get(key) : undefined;
    if (known) return resultOf(known) as T;
    try {
      const is = await find();
      if (this.#isRecording) this.#lookups.set(key, { is });
      return is;
    } catch (error) {
      this.recordFailure(key, error);
      throw error;
    }
  }

  /** Records a lookup that has succeeded. */
  recordFound(key: string, is: unknown): void {
    if (this.#isRecording) this.#lookups.set(key, { is });
  }

  /** Records a lookup that has thrown. */
  recordFailure(key: string, error: unknown): void {
    if (!this.#isRecording) return;
    const { code, message } = error as NodeJS.ErrnoException;
    this.#lookups.set(key, { error: { ...(code !== undefined && { code }), message: String(message) } });
  }

  /** Records a file that was read. */
  recordRead(file: string, content: Buffer | string, format?: string): void {
    if (!this.#isRecording) return;
    const known = this.#files.get(file);
    const text = content.toString("utf8");
    const digest = createHash("sha256").update(content).digest("hex");
    this.#files.set(file, {
      ...{ owner: this.owner, ...known, digest, text },
      ...(format !== undefined && { format: known?.format ?? format }),
    });
  }

  /** Records the compiled code of a file, in place of its text. */
  recordCompiled(file: string, way: "import" | "require", code: string): void {
    const known = this.#files.get(file);
    if (!this.#isRecording || !known) return;
    const { text: _, ...rest } = known;
    this.#files.set(file, { ...rest, code: { ...known.code, [way]: code } });
  }

  /** Notes something of the module being loaded that the snapshot lacks: a restart has to take it from disk. */
  leaveOut(what: string): void {
    const known = this.#leftOut.get(this.owner) ?? new Set();
    this.#leftOut.set(this.owner, known.add(what));
  }

  /** The digests of loaded files, by path. */
  digestsOf(files: readonly string[]): Record<string, string> {
    return Object.fromEntries(files.map((file) => [file, this.#files.get(file)?.digest ?? ""]));
  }

  /** Records that the module being loaded needs a file. Another module may have loaded it. */
  recordUse(file: string): void {
    // Node caches what it has resolved, so it does not ask for every file again.
    if (this.#isReplaying) return;
    const used = this.#used.get(this.owner) ?? new Set();
    this.#used.set(this.owner, used.add(file));
  }

  /** The files of a module: those that it uses, and all that it was the first to load. */
  filesOf(owner: string): string[] {
    const first = [...this.#files].flatMap(([file, { owner: by }]) => (by === owner ? [file] : []));
    const used = [...(this.#used.get(owner) ?? [])].filter((file) => this.#files.has(file));
    return [...new Set([...used, ...first])];
  }

  /** The text and the compiled code of a file, as far as they are recorded. */
  codeOf(file: string): string[] {
    const { text, code = {} } = this.#files.get(file) ?? {};
    return [...(text === undefined ? [] : [text]), ...Object.values(code)];
  }

  /** What a restart has to take from disk for this module. */
  leftOutOf(owner: string): string[] {
    return [...(this.#leftOut.get(owner) ?? [])];
  }

  /** The snapshot as text. To fit `most` characters, it drops the largest packages, then files, and calls `warn` for each. */
  serialize(warn: (message: string) => void, most: number = LIMITS.snapshot_characters): string {
    for (;;) {
      const contents: Contents = {
        files: [...this.#files],
        lookups: [...this.#lookups],
        used: [...this.#used].map(([owner, files]) => [owner, [...files]]),
      };
      const text = deflateRawSync(JSON.stringify(contents)).toString("base64");
      if (text.length <= most) return text;
      this.#dropLargest(warn);
    }
  }

  /** Stops recording: all modules are loaded. */
  stopRecording(): void {
    this.#isRecording = false;
  }

  /** Frees the texts and the code, which are not needed any more. */
  dropContents(): void {
    for (const [file, { digest, owner }] of this.#files) this.#files.set(file, { digest, owner });
  }

  /** Keeps only what shows whether files have changed. */
  keepOnlyDigests(): void {
    this.dropContents();
    this.#lookups.clear();
  }

  #dropLargest(warn: (message: string) => void): void {
    const what = this.#largest(isOfPackage) ? "its packages" : "its files";
    const isDropped = what === "its packages" ? isOfPackage : () => true;
    const largest = this.#largest(isDropped);
    if (!largest) throw new Error("the modules are too large to be kept");
    const [owner, bytes] = largest;
    const size = `${(bytes / 2 ** 20).toFixed(0)} MB`;
    warn(`${owner}: ${what} (${size}) are too large to be kept: a restart of Node takes them from disk`);
    for (const [file, { digest, owner: its }] of this.#files)
      if (its === owner && isDropped(file)) this.#files.set(file, { digest, owner });
    this.#leftOut.set(owner, new Set([...this.leftOutOf(owner), what]));
  }

  /** The module whose files of a kind are the largest in total, and that size. */
  #largest(isOfKind: (file: string) => boolean): [string, number] | undefined {
    const sizes = new Map<string, number>();
    for (const [file, { owner, text = "", code = {} }] of this.#files) {
      if (!isOfKind(file)) continue;
      const size = [text, ...Object.values(code)].reduce((sum, one) => sum + one.length, 0);
      sizes.set(owner, (sizes.get(owner) ?? 0) + size);
    }
    const [largest] = [...sizes].sort(([, a], [, b]) => b - a);
    return largest?.[1] ? largest : undefined;
  }
}

export function isOfPackage(file: string): boolean {
  return file.includes(`${path.sep}node_modules${path.sep}`);
}

function readContents(text: string): Contents {
  const contents = inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: MOST_BYTES });
  return JSON.parse(contents.toString("utf8"));
}

function resultOf(result: LookupResult): unknown {
  if ("is" in result) return result.is;
  const { code, message } = result.error;
  throw Object.assign(new Error(message), code !== undefined && { code });
}

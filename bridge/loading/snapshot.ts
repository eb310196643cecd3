// What was loaded, so that a host that comes after this one loads it again, whatever lies on disk by then: the text of
// each file, its code where it was compiled, and what was found where.
import { createHash } from "node:crypto";
import path from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { LIMITS, type Part } from "../catalogue/protocol.js";

// All that is kept was text before; at most it becomes so much again.
const MOST_BYTES = 1024 * 1024 * 1024;

/** A format of which Node makes up its mind by what is in the file. */
export const UNKNOWN = "unknown";
/** How keys of lookups begin that Node's ES module loader asks. */
export const RESOLVE = "resolve ";

export interface SnapshotFile {
  /** SHA-256 of its bytes. */
  digest: string;
  /** The module that has loaded it first. */
  owner: string;
  /** As it was read; absent where its code is enough. */
  text?: string;
  /** What the compiler made of it, for `import` and for `require`. */
  code?: Partial<Record<"import" | "require", string>>;
  /** How Node itself loads it. */
  format?: string;
}

export type LookupResult = { is: unknown } | { error: { code?: string; message: string } };

interface Contents {
  files: [string, SnapshotFile][];
  lookups: [string, LookupResult][];
  /** By module, the files that it needs. */
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
  // By module, what of it the disk must give again.
  #leftOut = new Map<string, Set<string>>();

  constructor({ files, lookups, used }: Contents = { files: [], lookups: [], used: [] }) {
    this.#files = new Map(files);
    this.#lookups = new Map(lookups);
    this.#used = new Map(used.map(([owner, files]) => [owner, new Set(files)]));
  }

  /** Throws an Error if it is something else. */
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

  /** Whether what is loaded now is to be kept. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** What was loaded from there at another time, which is to be loaded again. */
  replayed(file: string): SnapshotFile | undefined {
    const recorded = this.#isReplaying ? this.#files.get(file) : undefined;
    return recorded?.text === undefined && recorded?.code === undefined ? undefined : recorded;
  }

  /** Those of them that Node itself loads, with the answers that it needs. */
  forNode(): { files: string[]; lookups: [string, unknown][] } {
    if (!this.#isReplaying) return { files: [], lookups: [] };
    const keys = [...this.#lookups.keys()].filter((key) => key.startsWith(RESOLVE));
    return {
      files: [...this.#files].flatMap(([file, { format }]) => (format === undefined ? [] : [file])),
      lookups: keys.map((key) => [key, this.found(key)]),
    };
  }

  /** What was found then, where something was. */
  found(key: string): unknown {
    const result = this.#isReplaying ? this.#lookups.get(key) : undefined;
    return result && "is" in result ? result.is : undefined;
  }

  /** What was answered when it was asked at that time, else what `find` gives or throws now. */
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

  /** The same, where the answer takes its time. */
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

  recordFound(key: string, is: unknown): void {
    if (this.#isRecording) this.#lookups.set(key, { is });
  }

  recordFailure(key: string, error: unknown): void {
    if (!this.#isRecording) return;
    const { code, message } = error as NodeJS.ErrnoException;
    this.#lookups.set(key, { error: { ...(code !== undefined && { code }), message: String(message) } });
  }

  /** A file has been read. */
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

  /** A file that was read has been compiled. */
  recordCompiled(file: string, way: "import" | "require", code: string): void {
    const known = this.#files.get(file);
    if (!this.#isRecording || !known) return;
    const { text: _, ...rest } = known;
    this.#files.set(file, { ...rest, code: { ...known.code, [way]: code } });
  }

  /** Something that was loaded for the present module has to come from disk again. */
  leaveOut(what: string): void {
    const known = this.#leftOut.get(this.owner) ?? new Set();
    this.#leftOut.set(this.owner, known.add(what));
  }

  /** The digests of files that were loaded. */
  digestsOf(files: readonly string[]): Record<string, string> {
    return Object.fromEntries(files.map((file) => [file, this.#files.get(file)?.digest ?? ""]));
  }

  /** The module that is being loaded needs a file, which another may have loaded. */
  recordUse(file: string): void {
    // Node itself remembers what it has found, and need not ask in the same order again.
    if (this.#isReplaying) return;
    const used = this.#used.get(this.owner) ?? new Set();
    this.#used.set(this.owner, used.add(file));
  }

  /** The files that were loaded for a module: those that it uses, and all that it was the first to load. */
  filesOf(owner: string): string[] {
    const first = [...this.#files].flatMap(([file, { owner: by }]) => (by === owner ? [file] : []));
    const used = [...(this.#used.get(owner) ?? [])].filter((file) => this.#files.has(file));
    return [...new Set([...used, ...first])];
  }

  /** The code of a file, where that is kept. */
  codeOf(file: string): string[] {
    const { text, code = {} } = this.#files.get(file) ?? {};
    return [...(text === undefined ? [] : [text]), ...Object.values(code)];
  }

  /** What of this module the disk has to give again at a restart. */
  leftOutOf(owner: string): string[] {
    return [...(this.#leftOut.get(owner) ?? [])];
  }

  /** All that was recorded, as text. `warn` is told of a module whose packages, or own files, are too much. */
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

  /** All is loaded: what is loaded from now on is not kept. */
  stopRecording(): void {
    this.#isRecording = false;
  }

  /** What was loaded is needed no more. */
  dropContents(): void {
    for (const [file, { digest, owner }] of this.#files) this.#files.set(file, { digest, owner });
  }

  /** Of these, only what tells whether files have changed is kept. */
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

  /** The module whose files of a kind are the largest together, and their size. */
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

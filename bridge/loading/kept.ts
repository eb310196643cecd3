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
/** How questions begin that Node's ES module loader asks. */
export const RESOLVE = "resolve ";

export interface KeptFile {
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

export type Answer = { is: unknown } | { error: { code?: string; message: string } };

interface Contents {
  files: [string, KeptFile][];
  answers: [string, Answer][];
  /** By module, the files that it needs. */
  used: [string, string[]][];
}

export class Kept {
  /** The module that is being loaded. */
  owner = "";
  #files: Map<string, KeptFile>;
  #answers: Map<string, Answer>;
  #records = true;
  #replays = false;
  #used: Map<string, Set<string>>;
  // By module, what of it the disk must give again.
  #notKept = new Map<string, Set<string>>();

  constructor({ files, answers, used }: Contents = { files: [], answers: [], used: [] }) {
    this.#files = new Map(files);
    this.#answers = new Map(answers);
    this.#used = new Map(used.map(([owner, files]) => [owner, new Set(files)]));
  }

  /** Throws an Error if it is something else. */
  static from(parts: readonly Pick<Part, "text">[]): Kept {
    const all = parts.map(({ text }) => readContents(text));
    const kept = new Kept({
      files: all.flatMap(({ files }) => files),
      answers: all.flatMap(({ answers }) => answers),
      used: all.flatMap(({ used }) => used),
    });
    kept.#records = false;
    kept.#replays = true;
    return kept;
  }

  /** Whether what is loaded now is to be kept. */
  get records(): boolean {
    return this.#records;
  }

  /** What was loaded from there at another time, which is to be loaded again. */
  replayed(file: string): KeptFile | undefined {
    const kept = this.#replays ? this.#files.get(file) : undefined;
    return kept?.text === undefined && kept?.code === undefined ? undefined : kept;
  }

  /** Those of them that Node itself loads, with the answers that it needs. */
  forNode(): { files: string[]; answers: [string, unknown][] } {
    if (!this.#replays) return { files: [], answers: [] };
    const questions = [...this.#answers.keys()].filter((question) => question.startsWith(RESOLVE));
    return {
      files: [...this.#files].flatMap(([file, { format }]) => (format === undefined ? [] : [file])),
      answers: questions.map((question) => [question, this.known(question)]),
    };
  }

  /** What was found then, where something was. */
  known(question: string): unknown {
    const answer = this.#replays ? this.#answers.get(question) : undefined;
    return answer && "is" in answer ? answer.is : undefined;
  }

  /** What was answered when it was asked at that time, else what `find` gives or throws now. */
  ask<T>(question: string, find: () => T): T {
    const known = this.#replays ? this.#answers.get(question) : undefined;
    if (known) return settle(known) as T;
    if (!this.#records) return find();
    try {
      const is = find();
      this.#answers.set(question, { is });
      return is;
    } catch (error) {
      this.fails(question, error);
      throw error;
    }
  }

  /** The same, where the answer takes its time. */
  async askLater<T>(question: string, find: () => Promise<T>): Promise<T> {
    const known = this.#replays ? this.#answers.get(question) : undefined;
    if (known) return settle(known) as T;
    try {
      const is = await find();
      if (this.#records) this.#answers.set(question, { is });
      return is;
    } catch (error) {
      this.fails(question, error);
      throw error;
    }
  }

  answer(question: string, is: unknown): void {
    if (this.#records) this.#answers.set(question, { is });
  }

  fails(question: string, error: unknown): void {
    if (!this.#records) return;
    const { code, message } = error as NodeJS.ErrnoException;
    this.#answers.set(question, { error: { ...(code !== undefined && { code }), message: String(message) } });
  }

  /** A file has been read. */
  read(file: string, content: Buffer | string, format?: string): void {
    if (!this.#records) return;
    const known = this.#files.get(file);
    const text = content.toString("utf8");
    const digest = createHash("sha256").update(content).digest("hex");
    this.#files.set(file, {
      ...{ owner: this.owner, ...known, digest, text },
      ...(format !== undefined && { format: known?.format ?? format }),
    });
  }

  /** A file that was read has been compiled. */
  compiled(file: string, way: "import" | "require", code: string): void {
    const known = this.#files.get(file);
    if (!this.#records || !known) return;
    const { text: _, ...rest } = known;
    this.#files.set(file, { ...rest, code: { ...known.code, [way]: code } });
  }

  /** Something that was loaded for the present module has to come from disk again. */
  notKept(what: string): void {
    const known = this.#notKept.get(this.owner) ?? new Set();
    this.#notKept.set(this.owner, known.add(what));
  }

  /** The digests of files that were loaded. */
  digestsOf(files: readonly string[]): Record<string, string> {
    return Object.fromEntries(files.map((file) => [file, this.#files.get(file)?.digest ?? ""]));
  }

  /** The module that is being loaded needs a file, which another may have loaded. */
  uses(file: string): void {
    // Node itself remembers what it has found, and need not ask in the same order again.
    if (this.#replays) return;
    const used = this.#used.get(this.owner) ?? new Set();
    this.#used.set(this.owner, used.add(file));
  }

  /** The files that were loaded for a module: those that it uses, and all that it was the first to load. */
  filesOf(owner: string): string[] {
    const first = [...this.#files].flatMap(([file, kept]) => (kept.owner === owner ? [file] : []));
    const used = [...(this.#used.get(owner) ?? [])].filter((file) => this.#files.has(file));
    return [...new Set([...used, ...first])];
  }

  /** The code of a file, where that is kept. */
  codeOf(file: string): string[] {
    const { text, code = {} } = this.#files.get(file) ?? {};
    return [...(text === undefined ? [] : [text]), ...Object.values(code)];
  }

  /** What of this module the disk has to give again at a restart. */
  notKeptOf(owner: string): string[] {
    return [...(this.#notKept.get(owner) ?? [])];
  }

  /** All that was recorded, as text. `warn` is told of a module whose packages, or own files, are too much. */
  text(warn: (message: string) => void, most: number = LIMITS.snapshot_characters): string {
    for (;;) {
      const contents: Contents = {
        files: [...this.#files],
        answers: [...this.#answers],
        used: [...this.#used].map(([owner, files]) => [owner, [...files]]),
      };
      const text = deflateRawSync(JSON.stringify(contents)).toString("base64");
      if (text.length <= most) return text;
      this.#dropLargest(warn);
    }
  }

  /** All is loaded: what is loaded from now on is not kept. */
  stop(): void {
    this.#records = false;
  }

  /** What was loaded is needed no more. */
  forget(): void {
    for (const [file, { digest, owner }] of this.#files) this.#files.set(file, { digest, owner });
  }

  /** Of these, only what tells whether files have changed is kept. */
  keepDigests(): void {
    this.forget();
    this.#answers.clear();
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
    this.#notKept.set(owner, new Set([...this.notKeptOf(owner), what]));
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

function settle(answer: Answer): unknown {
  if ("is" in answer) return answer.is;
  const { code, message } = answer.error;
  throw Object.assign(new Error(message), code !== undefined && { code });
}

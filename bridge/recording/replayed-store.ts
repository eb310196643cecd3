// The store that a replay has for itself. It begins as the recording shows it before the module's first write; after that,
// only what this replay writes counts. What the recording shows at the same time tells where others have written.
import { isObject } from "../base/is-object.js";
import { compareBytes } from "../base/sorted-json.js";
import { WireError } from "../module-api/api-errors.js";
import type { RecordedApi, RecordedLine } from "./format.js";
import { SortedKeys } from "./sorted-keys.js";
import { type Content, contentOf, lasting, listed, type Step, stepsOf, textOf } from "./store-steps.js";

// As in the shim.
const LISTED = 100;
// In characters: what is kept of keys before anything is asked.
const MOST_TRACED = 256 * 1024 * 1024;

type Params = Record<string, unknown>;

/** What the recording tells of a key before the module wrote it. */
interface Trace {
  initial: Content | undefined;
  written: boolean;
}

/** A key. Undefined: nobody knows what it holds. */
interface Entry {
  /** As it was in production. */
  recorded: Content | undefined;
  /** As it is in this replay. */
  replayed: Content | undefined;
  /** The module, as recorded or in this replay, has written it. */
  isOwn: boolean;
  isTraced: boolean;
  /** Others have written it after this replay had written otherwise. */
  isContested: boolean;
  /** When the last recorded call that wrote it was over. What calls of the same time say has no order. */
  busyUntil: number;
}

/** An answer. `wrote`: it has changed something. `isUncertain`: it depends on what the recording does not tell. */
export interface StoreAnswer {
  value: unknown;
  wrote: boolean;
  isUncertain: boolean;
}

export class ReplayedStore {
  /** By module, since it is chosen after all was read. */
  #traces = new Map<string, Map<string, Trace>>();
  #entries = new Map<string, Entry>();
  #keys = new SortedKeys();
  #now = Number.NaN;
  /** What the present call did in production after its first write of a key. */
  #rest: Step[] = [];
  /** When that call was over. */
  #over = 0;
  #length = 0;

  /** `most`: how many characters of keys and values it keeps of the recording. */
  constructor(private readonly most = MOST_TRACED) {}

  /** Takes what a line tells. The lines come in the order of their times. */
  survey(line: RecordedLine): void {
    if (Number.isNaN(this.#now)) this.#now = Date.parse(line.at);
    const at = Date.parse(line.at);
    const traces = this.#traces.get(line.module) ?? new Map<string, Trace>();
    this.#traces.set(line.module, traces);
    for (const one of line.api ?? [])
      for (const { key, before, after } of stepsOf(one, at)) {
        const known = traces.get(key);
        if (!known) this.#length += key.length;
        if (this.#isPartial && !known) continue;
        const trace = known ?? { initial: undefined, written: false };
        traces.set(key, trace);
        if (before !== undefined && !trace.written && !trace.initial) {
          trace.initial = lasting(before);
          this.#length += before?.length ?? 0;
        }
        trace.written ||= after !== undefined;
      }
  }

  /** Whether keys are missing. What they hold is unknown until it is seen. */
  get #isPartial(): boolean {
    return this.#length > this.most;
  }

  /** From now on, this is the store of that module. */
  begin(module: string): void {
    for (const [key, { initial, written }] of this.#traces.get(module) ?? [])
      this.#entries.set(key, {
        ...UNTOUCHED,
        ...{ recorded: initial, replayed: initial, isOwn: written, isTraced: true },
      });
    this.#keys = new SortedKeys(this.#entries.keys());
    this.#traces.clear();
  }

  /** Takes the next line of the module. `isAsked`: this replay asks about it; else what it wrote is what others wrote. */
  enter(line: RecordedLine, isAsked: boolean): void {
    for (const step of this.#rest) {
      const entry = this.#entryOf(step.key);
      this.#apply(entry, { ...step, after: undefined });
      if (step.after) entry.recorded = step.after;
    }
    for (const { key } of this.#rest) {
      const entry = this.#entryOf(key);
      entry.busyUntil = Math.max(entry.busyUntil, this.#over);
    }
    this.#now = Date.parse(line.at);
    this.#rest = [];
    this.#over = this.#now + ("callback" in line ? line.ms : 0);
    const written = new Set<string>();
    for (const one of line.api ?? [])
      for (const step of [...stepsOf(one, this.#now), ...this.#absent(one)]) {
        const entry = this.#entryOf(step.key);
        if (isAsked && step.after) {
          // What it held before that may come from others.
          if (!written.has(step.key)) this.#apply(entry, { ...step, after: undefined });
          written.add(step.key);
        }
        if (written.has(step.key)) this.#rest.push(step);
        else this.#apply(entry, step);
      }
  }

  /** The answer to a request; undefined if it is the recorded one. `recorded` is that of a list or an increment. */
  ask(method: string, params: Params, recorded: unknown): StoreAnswer | undefined {
    if (method === "store.list") return this.#list(params, recorded);
    const { key } = params;
    if (typeof key !== "string") return undefined;
    const entry = this.#entryOf(key);
    const content = this.#alive(entry.replayed);
    const isUncertain = content === undefined || entry.isContested;
    if (method === "store.get") {
      if (!entry.isOwn) return undefined;
      return { value: answerFor(content), wrote: false, isUncertain };
    }
    if (method === "store.increment") return this.#increment(entry, params, recorded);
    const after = this.#after(params);
    if (method === "store.set") {
      this.#write(entry, after, false);
      return { value: null, wrote: true, isUncertain: false };
    }
    if (method === "store.delete") {
      this.#write(entry, lasting(null), false);
      return { value: content?.json !== null, wrote: true, isUncertain };
    }
    if (method !== "store.compare_and_set") return undefined;
    if (content !== undefined && content.json !== textOf(params.expected))
      return { value: false, wrote: false, isUncertain };
    this.#write(entry, after, entry.isContested || (content === undefined && entry.isTraced));
    return { value: true, wrote: true, isUncertain };
  }

  /** Nobody has used the key in the recording: this version begins without it. */
  assumeEmpty(key: unknown): void {
    const entry = this.#entryOf(String(key));
    if (!entry.isTraced) entry.replayed ??= lasting(null);
  }

  #increment(entry: Entry, params: Params, recorded: unknown): StoreAnswer | undefined {
    const content = this.#alive(entry.replayed);
    if (content === undefined && recorded !== undefined) return undefined;
    const { by = 1, limit, ttl } = params;
    const before = Number(content?.json ?? 0);
    const done = limit === undefined || before + Number(by) <= Number(limit);
    const value = done ? before + Number(by) : before;
    const until = content?.json ? content.until : this.#after({ value, ttl }).until;
    const isUncertain = content === undefined || entry.isContested;
    if (done)
      this.#write(
        entry,
        { json: String(value), until },
        entry.isContested || (content === undefined && entry.isTraced),
      );
    const isThere = done || Boolean(content?.json);
    const answer = {
      done,
      value,
      expires_in_ms: isThere && Number.isFinite(until) ? until - this.#now : null,
    };
    // The time of the recorded answer is exact, that of the call is not.
    const isSame = isObject(recorded) && recorded.done === done && recorded.value === value;
    return { value: isSame ? recorded : answer, wrote: done, isUncertain };
  }

  #write(entry: Entry, content: Content, isContested: boolean): void {
    entry.replayed = content;
    entry.isOwn = true;
    entry.isContested = isContested;
  }

  #list({ prefix = "", after, limit = LISTED }: Params, recorded: unknown): StoreAnswer | undefined {
    const base = listed(recorded);
    const most = Number(limit);
    const found = new Map(base?.map(({ key, value }) => [key, value]));
    const isFull = base !== undefined && base.length >= most;
    let isUncertain = base === undefined;
    let hasOwn = false;
    for (const key of this.#keys.within(String(prefix), after)) {
      const entry = this.#entryOf(key);
      hasOwn ||= entry.isOwn;
      if (base && !entry.isOwn) continue;
      const content = this.#alive(entry.replayed);
      if (content === undefined || entry.isContested) isUncertain = true;
      if (content === undefined) continue;
      if (content.json !== null) found.set(key, JSON.parse(content.json));
      // What would come in its place is not known.
      else if (found.delete(key) && isFull) isUncertain = true;
    }
    if (!hasOwn) return undefined;
    const entries = [...found].sort(([one], [other]) => compareBytes(one, other)).slice(0, most);
    return { value: entries.map(([key, value]) => ({ key, value })), wrote: false, isUncertain };
  }

  /** What a recorded list tells of keys that it lacks. */
  #absent(one: RecordedApi): Step[] {
    const base = one.method === "store.list" && "answer" in one ? listed(one.answer) : undefined;
    if (base === undefined || !isObject(one.params)) return [];
    const { prefix = "", after, limit = LISTED } = one.params;
    const present = new Set(base.map(({ key }) => key));
    const last = base.length >= Number(limit) ? base.at(-1)?.key : undefined;
    const absent: Step[] = [];
    for (const key of this.#keys.within(String(prefix), after)) {
      if (last !== undefined && compareBytes(key, last) > 0) break;
      if (!present.has(key)) absent.push({ key, before: null });
    }
    return absent;
  }

  /** Follows what the recording tells of a key, as long as this replay has not written otherwise. */
  #apply(entry: Entry, { before, notBefore, after }: Step): void {
    const was = this.#alive(entry.recorded);
    if (before !== undefined && was?.json !== before) entry.recorded = lasting(before);
    else if (notBefore !== undefined && was?.json === notBefore) entry.recorded = undefined;
    if (after) entry.recorded = after;
    const is = this.#alive(entry.recorded);
    const replayed = this.#alive(entry.replayed);
    if (was?.json === is?.json || replayed?.json === is?.json) return;
    if (replayed?.json === was?.json) entry.replayed = entry.recorded;
    else if (this.#now >= entry.busyUntil && entry.isTraced) entry.isContested = true;
  }

  #after({ value, ttl }: Params): Content {
    try {
      return contentOf(value, ttl, this.#now);
    } catch (error) {
      throw new WireError("api_error", (error as Error).message, { class: "ValueError" });
    }
  }

  #alive(content: Content | undefined): Content | undefined {
    return content && content.until <= this.#now ? lasting(null) : content;
  }

  #entryOf(key: string): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const entry = { ...UNTOUCHED, isOwn: this.#isPartial, isTraced: this.#isPartial };
    this.#entries.set(key, entry);
    this.#keys.add(key);
    return entry;
  }
}

const UNTOUCHED: Entry = {
  recorded: undefined,
  replayed: undefined,
  isOwn: false,
  isTraced: false,
  isContested: false,
  busyUntil: 0,
};

function answerFor(content: Content | undefined): unknown {
  return content === undefined || content.json === null ? null : { value: JSON.parse(content.json) };
}

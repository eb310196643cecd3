// Answers what a module asks during a replay (the api, the room's state) from the recording, and notes what the recording does
// not have.
import { copyJson, exactJson } from "../base/exact-json.js";
import { sortedKeys } from "../base/sorted-json.js";
import type { StateSource } from "../calls/state.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { ApiRequest } from "../catalogue/protocol.js";
import type { ApiSource } from "../module-api/api.js";
import { WireError } from "../module-api/api-errors.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import {
  isSecretMethod,
  type RecordedApi,
  type RecordedCall,
  type RecordedLine,
  type RecordedState,
  recordedJson,
} from "./format.js";
import { ReplayedStore } from "./replayed-store.js";

// In characters. Beyond that, a call finds only its own answers.
const MOST_KNOWN = 512 * 1024 * 1024;

const STORE = "store.";

/** Answers that a person has given for methods of the api. They come before the recorded ones. */
export interface GivenAnswers {
  has(method: string): boolean;
  /** `path` may be a step of a transaction. Rejects with a WireError. */
  request(path: string, request: ApiRequest): Promise<unknown>;
}

export class RecordedAnswers {
  given: GivenAnswers | undefined;
  /** The time of the call that is asked about, in milliseconds; until the first call, the time of this process. */
  now: number | undefined;
  /** What the module has asked and the recording has not, each with how often. */
  readonly missing = new Map<string, number>();
  /** What the module has written, each with how often. Nothing was done. */
  readonly writes = new Map<string, number>();
  /** How many answers of the api came from another call. */
  borrowed = 0;
  /** How often the module has asked for something that is missing. */
  asked = 0;
  #module = "";
  #known = new Map<string, string>();
  #length = 0;
  #call: Map<string, string[]> | undefined;
  #state: RecordedState | undefined;
  #api: RecordedApi[] = [];

  constructor(
    private readonly catalogue: Catalogue,
    private readonly store = new ReplayedStore(),
  ) {}

  /** Takes the answers of a line, before anything is asked. Of several answers to a question, the first is kept. */
  survey(line: RecordedLine): void {
    this.#learn(line, false);
    this.store.survey(line);
  }

  /** From now on, a module takes the place of this recorded one. */
  replace(module: string): void {
    this.#module = module;
    this.store.begin(module);
  }

  /** Takes the next line. `isAsked`: the module will be asked about it. */
  enter(line: RecordedLine, isAsked: boolean): void {
    this.#learn(line, true);
    if (line.module === this.#module) this.store.enter(line, isAsked);
  }

  #learn(line: RecordedLine, isLater: boolean): void {
    for (const one of line.api ?? []) {
      const key = keyOf(one.method, one.params, line.module);
      if (!isLater && this.#known.has(key)) continue;
      const json = exactJson(one);
      this.#length += json.length - (this.#known.get(key)?.length ?? 0);
      if (this.#length <= MOST_KNOWN) this.#known.set(key, json);
    }
  }

  /** From now on, this call is asked about. */
  begin(call: RecordedCall): void {
    this.#state = call.state;
    this.#api = call.api ?? [];
    this.#call = undefined;
  }

  get source(): ApiSource {
    return {
      request: async (method, params) => {
        const [name = ""] = method.split("/");
        return this.given?.has(name) ? this.given.request(method, params) : this.#request(method, params);
      },
      handleOf: () => undefined,
      now: () => this.now ?? Date.now(),
      render: async () => {
        throw this.#lacks("a template's text");
      },
    };
  }

  get state(): StateSource {
    return {
      get: async (keys) => {
        const { keys: known, events } = this.#state ?? { keys: [], events: [] };
        if (keys === null) {
          if (known !== "all") this.#note("the whole state of the room");
          return copy(events);
        }
        if (known !== "all")
          for (const key of keys)
            if (!known.some((one) => covers(one, key))) this.#note(`state ${key[0]} ${key[1] ?? "*"}`);
        return copy(
          events.filter((event) => keys.some((key) => covers(key, [event.type, event.state_key ?? ""]))),
        );
      },
      keys: async () => {
        const { keys: known, events, names } = this.#state ?? { keys: [], events: [] };
        if (names) return [...names] as [string, string][];
        if (known !== "all") this.#note("the keys of the room's state");
        return events.map((event) => [event.type, event.state_key ?? ""]);
      },
    };
  }

  #request(method: string, { params }: ApiRequest): unknown {
    const own = this.#own(method, params);
    const known = own ?? this.#known.get(keyOf(method, params, this.#module));
    const recorded = known === undefined ? undefined : (JSON.parse(known) as RecordedApi);
    const stored = this.#ofStore(method, params as Record<string, unknown>, own === undefined, recorded);
    if (stored) return stored.value;
    if (own === undefined && recorded) this.borrowed++;
    if (recorded) return answerOf(recorded);
    const { access, result } = this.catalogue.methods.get(method) ?? {};
    if (access === "write" && result === "Nothing") {
      count(this.writes, `api.${method}`);
      return null;
    }
    const missing = this.#lacks(`api.${method}`, isSecretMethod(method, this.catalogue));
    if (method !== "store.get") throw missing;
    this.store.assumeEmpty((params as { key?: unknown }).key);
    return null;
  }

  /** The answer that the call had. Several answers to one question come in their order, and then the last one. */
  #own(method: string, params: unknown): string | undefined {
    if (this.#api.length === 0) return undefined;
    if (!this.#call) {
      this.#call = new Map();
      for (const one of this.#api) {
        const key = keyOf(one.method, one.params, this.#module);
        const answers = this.#call.get(key) ?? [];
        answers.push(exactJson(one));
        this.#call.set(key, answers);
      }
    }
    const answers = this.#call.get(keyOf(method, params, this.#module));
    return answers && answers.length > 1 ? answers.shift() : answers?.[0];
  }

  /** What the store of this replay says; undefined if it says what was recorded. */
  #ofStore(
    method: string,
    params: Record<string, unknown>,
    isOther: boolean,
    recorded: RecordedApi | undefined,
  ): { value: unknown } | undefined {
    if (!method.startsWith(STORE)) return undefined;
    const hasFailed = recorded !== undefined && "error" in recorded;
    // As the store failed in this call.
    if (hasFailed && !isOther) return undefined;
    const told = this.store.ask(method, params, hasFailed ? undefined : recorded?.answer);
    if (told?.isUncertain) this.#note(`api.${method} (written by others, or before the recording)`);
    if (told?.wrote && recorded === undefined) count(this.writes, `api.${method}`);
    return told;
  }

  /** Notes that the recording does not have this. */
  lacks(what: string): void {
    this.#note(what);
  }

  #lacks(what: string, isSecret = false): WireError {
    this.#note(isSecret ? `${what} (never recorded)` : what);
    return new WireError("api_error", `the recording has no answer to ${what}`, { class: "NotRecorded" });
  }

  #note(what: string): void {
    this.asked++;
    count(this.missing, what);
  }
}

function answerOf(one: RecordedApi): unknown {
  if ("answer" in one) return one.answer;
  const { kind, message, data } = one.error;
  throw new WireError(kind ?? undefined, message, data);
}

/** Equal for equal questions. Each module has a store of its own; all other answers are the same for all modules. */
function keyOf(method: string, params: unknown, module: string): string {
  return `${method} ${recordedJson([sortedKeys(params), method.startsWith(STORE) ? module : null])}`;
}

function covers(wide: StateKey, narrow: StateKey): boolean {
  return wide[0] === narrow[0] && (wide[1] === null || wide[1] === narrow[1]);
}

/** A copy, since the call that gets the events may change them. */
function copy(events: readonly Event[]): Event[] {
  return copyJson([...events]);
}

// A module may ask for something else each time, such as the profile of each user: a name per method is enough, but state keys
// are written by users.
const MOST_NAMES = 1_000;

function count(counts: Map<string, number>, what: string): void {
  const name = counts.has(what) || counts.size < MOST_NAMES ? what : "others";
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

// Compares the verdicts of a replay with the recorded ones: which differ, in what way, and how long they took.
import { exactJson } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import { sortedKeys } from "../base/sorted-json.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import { type RecordedCall, recordedJson, type Verdict } from "../recording/format.js";

// Examples of one kind of difference.
const MOST_EXAMPLES = 5;
// Kinds of differences for one callback: a module may put a user's text into its answer.
const MOST_KINDS = 100;

/** What the module answers now. `not_asked`: why Synapse would not ask it. */
export type Replayed = Verdict | { not_asked: "match" | "undeclared" };

export interface Example {
  at: string;
  user?: string;
  room?: string;
  event?: string;
  /** The text of a fault, or the reason that the module gives now. */
  message?: string;
}

export interface Difference {
  from: string;
  to: string;
  count: number;
  examples: Example[];
}

export interface CallbackReport {
  calls: number;
  same: number;
  /** How many calls `match` of the module leaves out now. */
  not_asked: number;
  /** How many had an answer for equal questions, by its `ttl`. */
  cached: number;
  differences: Difference[];
  /** As `differences`, of calls in which the module asked for something that the recording does not have. */
  uncertain: Difference[];
  /** In milliseconds, of the calls that were asked. */
  recorded: Times;
  replayed: Times;
}

export interface Times {
  p50: number;
  p99: number;
}

export class Comparison {
  #groups = new Map<string, Group>();

  constructor(private readonly catalogue: Catalogue) {}

  add(
    callback: Callback,
    call: RecordedCall,
    replayed: { verdict: Replayed; ms?: number; reason?: string; cached: boolean; uncertain: boolean },
  ): void {
    let group = this.#groups.get(callback.name);
    if (!group) {
      group = new Group();
      this.#groups.set(callback.name, group);
    }
    const { verdict, ms, cached, uncertain } = replayed;
    group.calls++;
    group.recorded.push(call.ms);
    if (ms !== undefined) group.replayed.push(ms);
    if (cached) group.cached++;
    if ("not_asked" in verdict) group.notAsked++;
    const [before, after] = [call.verdict, verdict].map((one) => this.#meaning(callback, one));
    if (before === after) group.same++;
    else {
      const kinds = uncertain ? group.uncertain : group.differences;
      const [from, to] = [call.verdict, verdict].map((one) => this.#label(callback, one)) as [string, string];
      const known = kinds.size < MOST_KINDS || kinds.has(`${from}\n${to}`);
      note(
        kinds,
        known ? from : "other answers",
        known ? to : "others",
        exampleOf(callback, call, verdict, replayed.reason),
      );
    }
  }

  /** By callback, the one with the most calls first. */
  get report(): Record<string, CallbackReport> {
    const groups = [...this.#groups].sort(([, one], [, other]) => other.calls - one.calls);
    return Object.fromEntries(groups.map(([name, group]) => [name, group.report]));
  }

  /** The same text for verdicts that mean the same to Synapse. */
  #meaning(callback: Callback, verdict: Replayed): string {
    const { pass = [] } = this.catalogue.type(callback.result);
    const none = exactJson(pass[0] ?? null);
    if ("not_asked" in verdict) return `answer ${none}`;
    if ("answer" in verdict) {
      const answer = recordedJson(sortedKeys(withoutIds(verdict.answer)));
      return `answer ${pass.some((one) => exactJson(one) === answer) ? none : answer}`;
    }
    if ("error" in verdict) return `error ${exactJson(verdict.error)}`;
    // The text of a fault may tell a line of the file, which has changed.
    return "fault" in verdict ? `fault ${verdict.fault}` : "unavailable";
  }

  #label(callback: Callback, verdict: Replayed): string {
    if ("not_asked" in verdict) return `not asked (${verdict.not_asked})`;
    if ("error" in verdict) return `SynapseError ${verdict.error.code} ${verdict.error.errcode}`;
    if ("fault" in verdict) return verdict.fault === "threw" ? "a fault (threw)" : "a fault (unfit answer)";
    if ("unavailable" in verdict) return "no answer in time";
    const { answer } = verdict;
    if (callback.edits !== undefined) return answer === null ? "no edits" : "edits";
    if (callback.result === "EventAllowedVerdict" && isObject(answer)) return "a replacement";
    if (Array.isArray(answer) && typeof answer[0] === "string" && isObject(answer[1]))
      return `${answer[0]} with fields`;
    return typeof answer === "string" && /^\w{1,60}$/.test(answer) ? answer : exactJson(answer);
  }
}

class Group {
  calls = 0;
  same = 0;
  notAsked = 0;
  cached = 0;
  readonly recorded: number[] = [];
  readonly replayed: number[] = [];
  readonly differences = new Map<string, Difference>();
  readonly uncertain = new Map<string, Difference>();

  get report(): CallbackReport {
    return {
      calls: this.calls,
      same: this.same,
      not_asked: this.notAsked,
      cached: this.cached,
      differences: byCount(this.differences),
      uncertain: byCount(this.uncertain),
      recorded: timesOf(this.recorded),
      replayed: timesOf(this.replayed),
    };
  }
}

function note(kinds: Map<string, Difference>, from: string, to: string, example: Example): void {
  const key = `${from}\n${to}`;
  const known = kinds.get(key) ?? { from, to, count: 0, examples: [] };
  known.count++;
  if (known.examples.length < MOST_EXAMPLES) known.examples.push(example);
  kinds.set(key, known);
}

function byCount(kinds: ReadonlyMap<string, Difference>): Difference[] {
  return [...kinds.values()].sort((one, other) => other.count - one.count);
}

function timesOf(all: readonly number[]): Times {
  const sorted = Float64Array.from(all).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** A follow-up has another id each time. */
function withoutIds(answer: unknown): unknown {
  if (!Array.isArray(answer) || answer.length !== 2) return answer;
  const [first, second] = answer;
  const keys = isObject(second) ? Object.keys(second).sort().join() : "";
  return keys === "id,module" ? [first, "a follow-up"] : answer;
}

function exampleOf(callback: Callback, call: RecordedCall, verdict: Replayed, reason?: string): Example {
  const { params } = call;
  const event = isObject(params.event) ? params.event : {};
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const subject = callback.subject?.split(".") ?? [];
  const user = subject.length > 0 ? text(subject.reduce(fieldOf, params)) : undefined;
  const room = text(event.room_id) ?? text(params.room_id) ?? text(params.room);
  const message = "fault" in verdict ? verdict.message : reason;
  const found = { user, room, event: text(event.event_id), message };
  return { at: call.at, ...Object.fromEntries(Object.entries(found).filter(([, one]) => one !== undefined)) };
}

function fieldOf(value: unknown, field: string): unknown {
  return isObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
}

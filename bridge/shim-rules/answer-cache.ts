// Keeps the answers of one entry for its `ttl`, as the shim's answer_cache.py does. Equal questions share one answer, also
// while it is awaited.

import { exactJson } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import type { Callback } from "../catalogue/catalogue.js";
import { LIMITS } from "../catalogue/protocol.js";

type Params = Record<string, unknown>;

const MOST_REMEMBERED = LIMITS.kept_answers;
const MOST_ANSWER_BYTES = LIMITS.kept_answer_bytes;

export class AnswerCache<Reply extends { readonly answer: unknown }> {
  /** The least recently used reply is first. */
  #replies = new Map<string, { until: number; reply: Reply }>();
  #asking = new Map<string, Promise<Reply>>();

  /** `ttl` and `now` are in milliseconds. */
  constructor(
    private readonly ttl: number,
    private readonly now: () => number,
  ) {}

  /** Returns the reply, and whether it was kept or another call's. Rejects as `ask` does. */
  async ask(question: string, ask: () => Promise<Reply>): Promise<{ reply: Reply; cached: boolean }> {
    const known = this.#known(question);
    if (known) return { reply: known, cached: true };
    const other = this.#asking.get(question);
    if (other !== undefined) return { reply: await other, cached: true };
    const asked = ask();
    this.#asking.set(question, asked);
    try {
      const reply = await asked;
      this.#keep(question, reply);
      return { reply, cached: false };
    } finally {
      this.#asking.delete(question);
    }
  }

  #known(question: string): Reply | undefined {
    const { until, reply } = this.#replies.get(question) ?? { until: 0 };
    if (!reply) return undefined;
    this.#replies.delete(question);
    if (this.now() >= until) return undefined;
    this.#replies.set(question, { until, reply });
    return reply;
  }

  #keep(question: string, reply: Reply): void {
    if (Buffer.byteLength(exactJson(reply.answer)) > MOST_ANSWER_BYTES) return;
    this.#replies.delete(question);
    this.#replies.set(question, { until: this.now() + this.ttl, reply });
    const [oldest] = this.#replies.keys();
    if (this.#replies.size > MOST_REMEMBERED && oldest !== undefined) this.#replies.delete(oldest);
  }
}

/**
 * What a call asks, the same text for equal parameters. `state` has the ids of the state events, which count if there is
 * no event; `digest` is that of the media file.
 */
export function questionOf(
  callback: Callback,
  params: Params,
  state: readonly string[],
  digest = "",
): string {
  const types = Object.entries(callback.params);
  const hasEvent = types.some(([, type]) => type === "Event");
  const parts = types.map(([name, type]) => {
    const value = params[name];
    if (type === "Event") return allOf(value);
    if (type === "StateEvents") return hasEvent ? null : [...state].sort();
    if (type === "FileWrapper") return digest;
    // Synapse gives the same file a new id each time.
    if (type === "FileInfo" && isObject(value)) return { ...value, file_id: null };
    return value ?? null;
  });
  return exactJson(parts);
}

/** All that the sender has written, without what Synapse notes about the time. */
function allOf(event: unknown): unknown {
  if (!isObject(event)) return event;
  const { internal_metadata: _, unsigned, ...fields } = event;
  if (!isObject(unsigned)) return unsigned === undefined ? fields : { ...fields, unsigned };
  const { age: __, age_ts: ___, ...kept } = unsigned;
  return { ...fields, unsigned: kept };
}

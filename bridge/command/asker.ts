// Asks a module one recorded call after another, as Synapse would: by its `match` and its `ttl`, with the answers of the
// recording.
import { existsSync } from "node:fs";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { parseDuration } from "../base/duration.js";
import type { RunningModule } from "../calls/context.js";
import { dispatch } from "../calls/dispatch.js";
import { FollowUps } from "../calls/follow-ups.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import { type ErrorData, LIMITS } from "../catalogue/protocol.js";
import { type RecordedCall, type Verdict, verdictOf } from "../recording/format.js";
import type { RecordedAnswers } from "../recording/recorded-answers.js";
import { AnswerCache, questionOf } from "../shim-rules/answer-cache.js";
import { matches } from "../shim-rules/match.js";
import { CallError } from "../transport/call-error.js";
import { Cancellation } from "../transport/cancellation.js";
import type { Replayed } from "./comparison.js";
import type { ReportProgress } from "./subprocess.js";

// As long as the shim waits for a local call by default.
export const DEADLINE_MS = LIMITS.local_timeout_ms;
// Longer than any handler may take, and a pause of a busy machine: the module blocks the event loop.
const BLOCKED_MS = 3 * DEADLINE_MS;

/** Asks the new version, as Synapse would. */
export class Asker {
  #number = 0;
  #name: string;
  #running: RunningModule;
  #caches = new Map<string, AnswerCache<{ answer: unknown; asked: Asking }>>();

  constructor(
    running: RunningModule,
    private readonly answers: RecordedAnswers,
    private readonly catalogue: Catalogue,
    private readonly report: ReportProgress,
  ) {
    this.#name = running.module.name;
    this.#running = running;
  }

  async ask(callback: Callback, call: RecordedCall): Promise<Asking> {
    const entry = this.#running.module.callbacks.get(callback.name);
    if (!entry?.handler) return { verdict: { not_asked: "undeclared" }, cached: false, uncertain: false };
    const { match, ttl } = entry;
    if (match && !matches(callback, match, call.params, call.synapse.server_name))
      return { verdict: { not_asked: "match" }, cached: false, uncertain: false };
    this.answers.now = Date.parse(call.at);
    if (ttl === undefined) return this.#ask(callback, call);
    const cache =
      this.#caches.get(callback.name) ?? new AnswerCache(parseDuration(ttl), () => this.answers.now ?? 0);
    this.#caches.set(callback.name, cache);
    try {
      const { reply, cached } = await cache.ask(questionIn(callback, call), async () => {
        const asked = await this.#ask(callback, call);
        if ("answer" in asked.verdict) return { answer: asked.verdict.answer, asked };
        throw new NoAnswer(asked);
      });
      const { uncertain } = reply.asked;
      return cached ? { verdict: { answer: reply.answer }, cached, uncertain } : reply.asked;
    } catch (error) {
      if (error instanceof NoAnswer) return error.asked;
      throw error;
    }
  }

  async #ask(callback: Callback, call: RecordedCall): Promise<Asking> {
    const { answers, catalogue } = this;
    this.report({ asking: `${callback.name} (recorded at ${call.at})`, within_ms: BLOCKED_MS });
    answers.begin(call);
    const before = answers.asked;
    const deadline = new CancellationTokenSource();
    const timer = setTimeout(() => deadline.cancel(), DEADLINE_MS);
    const environment = {
      catalogue,
      modules: new Map([[this.#name, this.#running]]),
      stateOf: () => answers.state,
      handles: new WeakMap(),
      followUps: new FollowUps(),
    };
    const params = onTheWire(callback, call);
    if (Object.values(callback.params).includes("FileWrapper")) noteMedia(answers, params);
    const question = { call: ++this.#number, modules: [this.#name], params, request: call.request };
    const started = performance.now();
    let verdict: Verdict;
    let reason: string | undefined;
    try {
      const { answer, given_reason } = await dispatch(
        callback,
        question,
        new Cancellation(deadline.token),
        environment,
      );
      verdict = { answer };
      reason = given_reason?.text;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      verdict = verdictOf(error);
      if (error.kind === "synapse_error")
        reason = (error.data as ErrorData["synapse_error"]).given_reason?.text;
    } finally {
      clearTimeout(timer);
    }
    const ms = Math.round((performance.now() - started) * 1000) / 1000;
    const told = reason === undefined ? {} : { reason };
    return { verdict, ms, ...told, cached: false, uncertain: answers.asked > before };
  }
}

export interface Asking {
  verdict: Replayed;
  ms?: number;
  reason?: string;
  cached: boolean;
  uncertain: boolean;
}

/** The parameters as the shim would send them, with a state that is looked up when the module asks for it. */
function onTheWire(callback: Callback, call: RecordedCall): Record<string, unknown> {
  const params = { ...call.params };
  for (const [name, type] of Object.entries(callback.params))
    if (type === "StateEvents") params[name] = { events: [], left_out: true };
  return params;
}

function noteMedia(answers: RecordedAnswers, params: Record<string, unknown>): void {
  const { path: file } = (params.file_wrapper ?? {}) as { path?: unknown };
  if (typeof file !== "string" || !existsSync(file)) answers.lacks("a media file");
}

/** The same text for calls that the shim would take for the same question. */
function questionIn(callback: Callback, { params, state }: RecordedCall): string {
  const { path: file } = (params.file_wrapper ?? {}) as { path?: unknown };
  const ids = (state?.events ?? []).map(({ event_id }) => event_id);
  // The file is gone: only its path tells it from others.
  return questionOf(callback, params, ids, String(file));
}

/** Only answers are kept. */
class NoAnswer extends Error {
  constructor(readonly asked: Asking) {
    super();
  }
}

// Implements the command `replay`: asks a module everything that a recording has, and compares its verdicts with the recorded
// ones.
import { existsSync } from "node:fs";
import path from "node:path";
import { CancellationToken, CancellationTokenSource } from "vscode-jsonrpc/node";
import { exactJson } from "../base/exact-json.js";
import { didYouMean } from "../base/nearest.js";
import type { RunningModule } from "../calls/context.js";
import { dispatch } from "../calls/dispatch.js";
import { FollowUps } from "../calls/follow-ups.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { ErrorData, SynapseInfo } from "../catalogue/protocol.js";
import { nameOf } from "../declarations/module.js";
import type { Logger } from "../logging/log.js";
import type { RecordedCall, RecordedLine, Verdict } from "../recording/format.js";
import { filesOf, readInOrder, type Skipped } from "../recording/reader.js";
import { RecordedAnswers } from "../recording/recorded-answers.js";
import { matches } from "../shim-rules/match.js";
import { CallError } from "../transport/call-error.js";
import { Cancellation } from "../transport/cancellation.js";
import { type CallbackReport, Comparison, type Replayed } from "./comparison.js";
import { loadAlone } from "./load-alone.js";
import type { ReportProgress } from "./subprocess.js";

// As long as the shim waits for a local call by default.
const DEADLINE_MS = 5_000;
// As the shim's answer cache.
const MOST_REMEMBERED = 10_000;

export interface ReplayOptions {
  /** The file with the module's config. */
  config?: string;
  /** The recorded module that this one takes the place of. */
  module?: string;
}

/** What `--json` prints. */
export interface ReplayReport {
  /** The name of the recorded module. */
  module: string;
  /** The file that was asked. */
  file: string;
  calls: number;
  differing: number;
  /** Of calls in which the module asked for what the recording does not have, those with another verdict. */
  uncertain: number;
  from: string;
  to: string;
  /** What has recorded: all that occur. */
  recorded_by: { bridge: string[]; synapse: string[]; node: string[] };
  /** How long the whole replay took. */
  seconds: number;
  callbacks: Record<string, CallbackReport>;
  /** What the module asked and the recording does not have, with how often. */
  missing: Record<string, number>;
  /** Writes that the recording does not have. Nothing was written. */
  writes: Record<string, number>;
  /** How many answers of the api are those of another call. */
  borrowed: number;
  /** Callbacks of the module without a recorded call. */
  without_calls: string[];
  /** Lines that could not be read. */
  skipped: Skipped;
  /** Recorded calls of callbacks that this version of the bridge does not know. */
  unknown_callbacks: Record<string, number>;
}

/** Throws an Error if the module or the recording cannot be used. */
export async function replay(
  file: string,
  recording: string,
  options: ReplayOptions,
  catalogue: Catalogue,
  log: Logger,
  report: ReportProgress = () => {},
): Promise<ReplayReport> {
  const files = filesOf(path.resolve(recording));
  const survey = new Survey();
  const answers = new RecordedAnswers(catalogue);
  const skipped: Skipped = { torn: 0, unreadable: 0 };
  for await (const line of readInOrder(files, skipped)) {
    survey.add(line);
    answers.learn(line, false);
  }
  const recorded = survey.choose(options.module, nameOf({ path: path.resolve(file) }), recording);
  const { name, synapse } = recorded;
  answers.module = name;
  report({ loading: path.resolve(file) });
  const running = await loadAlone(file, options, { synapse, source: answers.source }, catalogue, log);
  report({ asking: "setup" });
  running.setup.start();
  try {
    await running.setup.ready(new Cancellation(CancellationToken.None));
  } catch (error) {
    running.setup.stop();
    const missing = [...answers.missing.keys()].join(", ");
    throw new Error(
      (error as Error).message + (missing === "" ? "" : ` (the recording does not have: ${missing})`),
    );
  }
  const asker = new Asker(running, answers, catalogue, report);
  const comparison = new Comparison(catalogue);
  const unknown = new Map<string, number>();
  const began = performance.now();
  try {
    for await (const line of readInOrder(files, { torn: 0, unreadable: 0 })) {
      answers.learn(line, true);
      if (!("callback" in line) || line.module !== name) continue;
      const callback = catalogue.callbacks.get(line.callback);
      if (!callback) unknown.set(line.callback, (unknown.get(line.callback) ?? 0) + 1);
      else comparison.add(callback, line, await asker.ask(callback, line));
    }
  } finally {
    running.setup.stop();
  }
  const callbacks = comparison.report;
  const sum = (of: (one: CallbackReport) => number) =>
    Object.values(callbacks).reduce((total, one) => total + of(one), 0);
  const countOf = (kinds: CallbackReport["differences"]) =>
    kinds.reduce((total, one) => total + one.count, 0);
  return {
    module: name,
    file: running.module.file,
    calls: sum((one) => one.calls),
    differing: sum((one) => countOf(one.differences)),
    uncertain: sum((one) => countOf(one.uncertain)),
    from: recorded.from,
    to: recorded.to,
    recorded_by: {
      bridge: [...recorded.bridge],
      synapse: [...recorded.synapses],
      node: [...recorded.node],
    },
    seconds: Math.round(performance.now() - began) / 1000,
    callbacks,
    missing: Object.fromEntries(answers.missing),
    writes: Object.fromEntries(answers.writes),
    borrowed: answers.borrowed,
    without_calls: [...running.module.callbacks.keys()].filter((one) => !Object.hasOwn(callbacks, one)),
    skipped,
    unknown_callbacks: Object.fromEntries(unknown),
  };
}

/** What a recording has of one module. */
interface Recorded {
  name: string;
  calls: number;
  from: string;
  to: string;
  synapse: SynapseInfo;
  bridge: Set<string>;
  synapses: Set<string>;
  node: Set<string>;
}

class Survey {
  #modules = new Map<string, Recorded>();

  add(line: RecordedLine): void {
    if (!("callback" in line)) return;
    const { module: name, at, synapse, versions } = line;
    const sets = { bridge: new Set<string>(), synapses: new Set<string>(), node: new Set<string>() };
    const known = this.#modules.get(name) ?? { name, calls: 0, from: at, to: at, synapse, ...sets };
    this.#modules.set(name, known);
    known.calls++;
    known.to = at;
    known.synapse = synapse;
    known.bridge.add(String(versions.bridge));
    known.synapses.add(String(synapse.version));
    known.node.add(String(versions.node));
  }

  /** The recorded module that is replaced: the one that was asked for, the one of the same name, or the only one. */
  choose(wanted: string | undefined, own: string, recording: string): Recorded {
    const names = [...this.#modules.keys()];
    if (names.length === 0) throw new Error(`${recording} has no calls`);
    const only = names.length === 1 ? names[0] : undefined;
    const name = wanted ?? (this.#modules.has(own) ? own : only);
    const found = name === undefined ? undefined : this.#modules.get(name);
    if (found) return found;
    const has = names.map((one) => `${one} (${this.#modules.get(one)?.calls})`).join(", ");
    throw new Error(
      wanted === undefined
        ? `${recording} has the calls of several modules, and none is called ${own}: choose one with --module: ${has}`
        : `${recording} has no calls of the module ${wanted}${didYouMean(wanted, names)}; it has those of ${has}`,
    );
  }
}

/** Asks the new version, as Synapse would. */
class Asker {
  #number = 0;
  #name: string;
  #running: RunningModule;
  #now = 0;
  #kept = new Map<string, { until: number; verdict: Verdict }>();

  constructor(
    running: RunningModule,
    private readonly answers: RecordedAnswers,
    private readonly catalogue: Catalogue,
    private readonly report: ReportProgress,
  ) {
    this.#name = running.module.name;
    const api = { ...running.api, get_current_time_msec: () => this.#now };
    this.#running = { ...running, api };
  }

  async ask(callback: Callback, call: RecordedCall): Promise<Asking> {
    const entry = this.#running.module.callbacks.get(callback.name);
    if (!entry?.handler) return { verdict: { not_asked: "undeclared" }, cached: false, uncertain: false };
    const { match, ttl } = entry;
    if (match && !matches(callback, match, call.params, call.synapse.server_name))
      return { verdict: { not_asked: "match" }, cached: false, uncertain: false };
    this.#now = Date.parse(call.at);
    const question = ttl === undefined ? undefined : questionOf(callback, call);
    const kept = question === undefined ? undefined : this.#kept.get(question);
    if (kept && this.#now < kept.until) return { verdict: kept.verdict, cached: true, uncertain: false };
    const asked = await this.#ask(callback, call);
    if (question !== undefined && "answer" in asked.verdict)
      this.#keep(question, this.#now + milliseconds(ttl), asked.verdict);
    return asked;
  }

  #keep(question: string, until: number, verdict: Verdict): void {
    this.#kept.set(question, { until, verdict });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_REMEMBERED && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #ask(callback: Callback, call: RecordedCall): Promise<Asking> {
    const { answers, catalogue } = this;
    this.report({ asking: `${callback.name} (recorded at ${call.at})` });
    answers.begin(call);
    const before = answers.asked;
    const deadline = new CancellationTokenSource();
    const timer = setTimeout(() => deadline.cancel(), DEADLINE_MS);
    const environment = {
      catalogue,
      modules: new Map([[this.#name, this.#running]]),
      state: answers.state,
      cancellation: new Cancellation(deadline.token),
      handles: new WeakMap(),
      followUps: new FollowUps(),
    };
    const params = onTheWire(callback, call);
    if (Object.values(callback.params).includes("FileWrapper")) noteMedia(answers, params);
    const question = { call: ++this.#number, modules: [this.#name], params, request: call.request };
    const started = performance.now();
    let verdict: Verdict;
    try {
      const { answer } = await dispatch(callback, question, environment);
      verdict = { answer };
    } catch (error) {
      verdict = verdictOf(error);
    } finally {
      clearTimeout(timer);
    }
    const ms = Math.round((performance.now() - started) * 1000) / 1000;
    return { verdict, ms, cached: false, uncertain: answers.asked > before };
  }
}

interface Asking {
  verdict: Replayed;
  ms?: number;
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

/** Equal for calls that the shim would take for the same question. */
function questionOf(callback: Callback, { params }: RecordedCall): string {
  return `${callback.name} ${exactJson(Object.keys(callback.params).map((name) => params[name] ?? null))}`;
}

function verdictOf(error: unknown): Verdict {
  if (!(error instanceof CallError)) throw error;
  if (error.kind === "synapse_error") {
    const { code, errcode, msg } = error.data as ErrorData["synapse_error"];
    return { error: { code, errcode, msg } };
  }
  if (error.kind === "cancelled") return { unavailable: "deadline" };
  const { kind } = error.data as Partial<ErrorData["module_fault"]>;
  return { fault: kind ?? "threw", message: error.message };
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** A `ttl` that the loader has checked. */
function milliseconds(ttl: string | number | undefined): number {
  const text = String(ttl ?? 0);
  return Number.parseInt(text, 10) * (UNITS[text.slice(-1)] ?? 1);
}

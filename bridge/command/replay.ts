// Implements the command `replay`: asks a module everything that a recording has, and compares its verdicts with the recorded
// ones.
import path from "node:path";
import { CancellationToken } from "vscode-jsonrpc/node";
import { didYouMean } from "../base/nearest.js";
import { printable } from "../base/printable.js";
import { UnfitParams } from "../calls/params.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import { nameOf } from "../declarations/module.js";
import type { Logger } from "../logging/log.js";
import type { RecordedCall } from "../recording/format.js";
import { filesOf, newSkipped, readInOrder, type Skipped } from "../recording/reader.js";
import { RecordedAnswers } from "../recording/recorded-answers.js";
import { Survey } from "../recording/survey.js";
import { Cancellation } from "../transport/cancellation.js";
import { Asker, DEADLINE_MS } from "./asker.js";
import { type CallbackReport, Comparison } from "./comparison.js";
import { givenAnswers } from "./given-answers.js";
import { loadAlone } from "./load-alone.js";
import type { ReportProgress } from "./subprocess.js";

// A handler that waits for what there is not would take hours for thousands of calls.
const MOST_LATE = 6;

export interface ReplayOptions {
  /** The file with the module's config. */
  config?: string;
  /** The recorded module that this one takes the place of. */
  module?: string;
  /** The callbacks whose calls are asked; all by default. */
  callback?: readonly string[];
  /** The file with what calls of the api answer, by method. */
  api?: string;
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
  /** Callbacks of the module without a recorded call that was asked. */
  without_calls: string[];
  /** Lines and files that could not be read. */
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
  const chosen = options.callback && new Set(options.callback);
  for (const one of chosen ?? [])
    if (!catalogue.callbacks.has(one))
      throw new Error(`there is no callback ${one}${didYouMean(one, catalogue.callbacks.keys())}`);
  const files = filesOf(path.resolve(recording));
  const survey = new Survey();
  const answers = new RecordedAnswers(catalogue);
  const skipped = newSkipped();
  for await (const line of readInOrder(files, skipped)) {
    survey.add(line);
    answers.survey(line);
  }
  const recorded = survey.choose(options.module, nameOf({ path: path.resolve(file) }), recording, skipped);
  const { name, synapse } = recorded;
  answers.replace(name);
  if (options.api !== undefined) answers.given = givenAnswers(options.api, synapse.server_name, catalogue);
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
  const again = newSkipped();
  let late = 0;
  const compare = async (callback: Callback, line: RecordedCall) => {
    try {
      const asked = await asker.ask(callback, line);
      comparison.add(callback, line, asked);
      late = "unavailable" in asked.verdict ? late + 1 : 0;
    } catch (error) {
      // Synapse has never asked so.
      if (!(error instanceof UnfitParams)) throw error;
      skipped.unreadable++;
    }
    if (late === MOST_LATE)
      throw new Error(
        `${running.module.file} has not answered ${late} calls in a row within ${DEADLINE_MS / 1000} s each, the last one ` +
          `${callback.name} (recorded at ${line.at}), and was not asked further`,
      );
  };
  const began = performance.now();
  try {
    for await (const line of readInOrder(files, again)) {
      const isCall = "callback" in line && line.module === name && (chosen?.has(line.callback) ?? true);
      const callback = isCall ? catalogue.callbacks.get(line.callback) : undefined;
      answers.enter(line, callback !== undefined);
      if (!isCall) continue;
      if (!callback) unknown.set(line.callback, (unknown.get(line.callback) ?? 0) + 1);
      else await compare(callback, line);
    }
  } finally {
    running.setup.stop();
  }
  report({ between: true });
  const callbacks = comparison.report;
  if (Object.keys(callbacks).length === 0)
    throw new Error(`${recording} has no calls of ${name} to ask about: ${nothingAsked(chosen, unknown)}`);
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
    without_calls: [...running.module.callbacks.keys()].filter(
      (one) => !Object.hasOwn(callbacks, one) && (chosen?.has(one) ?? true),
    ),
    // The second time, files of the first may be missing.
    skipped: { ...skipped, removed: again.removed },
    unknown_callbacks: Object.fromEntries(unknown),
  };
}

/** Why no call was compared. Then nothing is known to be the same. */
function nothingAsked(chosen: ReadonlySet<string> | undefined, unknown: ReadonlyMap<string, number>): string {
  if (chosen) return `none is of ${[...chosen].join(" or ")}`;
  const names = [...unknown.keys()].map(printable).join(", ");
  return names === "" ? "none can be read" : `this version of the bridge does not know ${names}`;
}

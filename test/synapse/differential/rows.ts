// The rows of the comparison: each callback of the catalogue, each trigger, each answer that its result type takes.
import { type Answer, answersByResult, errors, passes } from "./answers.js";
import { type CatalogueEntry, compared } from "./catalogue.js";
import { editRows } from "./rows-edits.js";
import { presenceRows } from "./rows-presence.js";
import { replacementRows } from "./rows-replacements.js";
import { severalRows } from "./rows-several.js";
import { stateRows } from "./rows-state.js";
import type { Script } from "./script.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";
import { triggersOf } from "./triggers.js";

export interface Intended {
  readonly why: string;
  script(side: Side, n: number): Script;
  /** Another script that has the outcome in Python that the row's own has there: not the one that the bridge means. */
  likeInPython?(side: Side, n: number): Script;
}

export interface Row {
  readonly callback: string;
  readonly trigger: Trigger;
  /** Completes "<callback>, asked about <trigger>, when the policy answers with". */
  readonly answer: string;
  script(side: Side, n: number): Script;
  /**
   * Where the bridge means to differ: what a Python module would have to do for the same outcome.
   * The row then compares with that.
   */
  readonly intended?: Intended;
}

function answersOf({ result }: CatalogueEntry): readonly Answer[] {
  const answers = answersByResult[result];
  if (!answers) throw new Error(`answers.ts has no answers for the result type ${result}`);
  const withPass = answers.includes(passes) ? answers : [passes, ...answers];
  return [...withPass, ...errors];
}

/** The script in which the first of the modules does it, and the others let pass. */
export function firstDoes(callback: string, trigger: Trigger, { action }: Answer) {
  return (side: Side, n: number): Script => {
    const when = trigger.when?.(side, n);
    return { first: { ...trigger.also, [callback]: when ? { ...action, when } : action } };
  };
}

function rowsOf([callback, entry]: [string, CatalogueEntry]): Row[] {
  const rows: Row[] = [];
  for (const trigger of triggersOf(callback)) {
    for (const answer of answersOf(entry)) {
      if (trigger.only && !trigger.only.includes(answer.title)) continue;
      const script = firstDoes(callback, trigger, answer);
      const intended = intendedDifference(callback, entry, trigger, answer);
      rows.push({ callback, trigger, answer: answer.title, script, ...(intended && { intended }) });
    }
  }
  return rows;
}

function intendedDifference(
  callback: string,
  entry: CatalogueEntry,
  trigger: Trigger,
  { action }: Answer,
): Intended | undefined {
  if (entry.swallows && action.throw) {
    const script = firstDoes(callback, trigger, { title: "false", action: { answer: { value: false } } });
    const likeInPython = () => ({ first: { [callback]: { answer: { value: true } } } });
    return { why: "where Synapse takes an error for a yes, the bridge refuses", script, likeInPython };
  }
  if (trigger.remoteUser && action.throw && "exception" in action.throw && entry.delivery !== "notify") {
    if (typeof entry.faults === "object") {
      const { remote_message: code } = entry.faults;
      const refused = { title: code, action: { answer: { code: code.replace("M_", "") } } };
      const script = firstDoes(callback, trigger, refused);
      return {
        why: "a message of another server is refused by a code where a handler fails about it",
        script,
      };
    }
    const policy = entry.on_failure.default === "allow" ? passes : deferred;
    const script = firstDoes(callback, trigger, policy);
    return { why: "about a user of another server, a fault follows policy", script };
  }
  return undefined;
}

/** Towards another server. */
const deferred: Answer = {
  title: "policy",
  action: { throw: { synapse_error: { code: 403, msg: "policy unavailable", errcode: "M_FORBIDDEN" } } },
};

export const rows: readonly Row[] = [
  ...compared.flatMap(rowsOf),
  ...replacementRows,
  ...editRows,
  ...stateRows,
  ...presenceRows,
  ...severalRows,
];

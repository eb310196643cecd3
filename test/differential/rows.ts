// The rows of the comparison: each callback of the catalogue, each trigger, each answer that its result type takes.
import { type Answer, answersByResult, errors, passes } from "./answers.js";
import { type CatalogueEntry, compared } from "./catalogue.js";
import { editRows } from "./rows-edits.js";
import { replacementRows } from "./rows-replacements.js";
import { severalRows } from "./rows-several.js";
import { stateRows } from "./rows-state.js";
import type { Script } from "./script.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";
import { triggersOf } from "./triggers.js";

export interface Row {
  readonly callback: string;
  readonly trigger: Trigger;
  /** Completes "<callback>, asked about <trigger>, when the policy answers with". */
  readonly answer: string;
  script(side: Side, n: number): Script;
  /**
   * Where the bridge means to differ: what a Python module would have to do for the same outcome.
   * The row then compares with that, and checks that the very same script gives another outcome in Python.
   */
  readonly intended?: { readonly why: string; script(side: Side, n: number): Script };
}

function answersOf({ result }: CatalogueEntry): readonly Answer[] {
  const answers = answersByResult[result];
  if (!answers) throw new Error(`answers.ts has no answers for the result type ${result}`);
  const withPass = answers.includes(passes) ? answers : [passes, ...answers];
  return [...withPass, ...errors];
}

/** The script in which the first of the modules does it, and the others let pass. */
function firstDoes(callback: string, trigger: Trigger, { action }: Answer) {
  return (side: Side, n: number): Script => {
    const when = trigger.when?.(side, n);
    return { first: { [callback]: when ? { ...action, when } : action } };
  };
}

function rowsOf([callback, entry]: [string, CatalogueEntry]): Row[] {
  const rows: Row[] = [];
  for (const trigger of triggersOf(callback)) {
    for (const answer of answersOf(entry)) {
      if (trigger.only && !trigger.only.includes(answer.title)) continue;
      const script = firstDoes(callback, trigger, answer);
      const refuse: Answer = { title: "false", action: { answer: { value: false } } };
      const intended = entry.swallows &&
        answer.action.throw && {
          why: "an error refuses",
          script: firstDoes(callback, trigger, refuse),
        };
      rows.push({ callback, trigger, answer: answer.title, script, ...(intended && { intended }) });
    }
  }
  return rows;
}

export const rows: readonly Row[] = [
  ...compared.flatMap(rowsOf),
  ...replacementRows,
  ...editRows,
  ...stateRows,
  ...severalRows,
];

// Takes the differences that are intended out of a comparison: intended.json declares each with its reason.
import { readFileSync } from "node:fs";
import { isOlder } from "../../bridge/base/releases.js";
import type { Comparison } from "./compare.js";

export interface Intention {
  readonly why: string;
  /** They are there only before this release. */
  readonly before?: string;
  readonly differences: readonly string[];
}

export interface Judged extends Comparison {
  /** How many differences are intended. */
  readonly intended: number;
  /** What is declared as intended, and is no difference any more. */
  readonly outlived: readonly string[];
}

export const readIntentions = (): readonly Intention[] =>
  JSON.parse(readFileSync(new URL("intended.json", import.meta.url), "utf8"));

/** `newest` is the Synapse whose catalogue this is: an older one need not show what is intended for it. */
export function judge(comparison: Comparison, intentions: readonly Intention[], newest: string): Judged {
  const { version, differences } = comparison;
  const held = intentions.filter(({ before }) => before === undefined || isOlder(version, before));
  const known = new Set(held.flatMap((one) => one.differences));
  const left = differences.filter(({ what }) => !known.has(what));
  const seen = new Set(differences.map(({ what }) => what));
  const lasting = held.filter(({ before }) => before === undefined).flatMap((one) => one.differences);
  return {
    ...comparison,
    differences: left,
    intended: differences.length - left.length,
    outlived: isOlder(version, newest) ? [] : lasting.filter((what) => !seen.has(what)),
  };
}

/** Whether there is nothing to do. */
export const isClean = ({ differences, outlived }: Judged): boolean =>
  differences.length === 0 && outlived.length === 0;

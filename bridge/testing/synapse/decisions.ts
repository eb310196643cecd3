// Gives the bridge's decisions as rows.
import { checkKeys, checkWord } from "../../base/known-words.js";
import { real } from "../../base/real-time.js";
import { catalogue } from "../../catalogue/catalogue.js";
import type { CallbackName } from "../../sdk/entries.js";
import type { LogRecord, Records } from "./records.js";

/** What a decision came to; of a shadow module, what it would have come to. */
export type DecisionOutcome = (typeof OUTCOMES)[number];

const OUTCOMES = [
  ...(["allowed", "answered", "left", "refused", "replaced", "edited", "error", "fault", "policy"] as const),
  ...(["would_allow", "would_answer", "would_refuse", "would_replace", "would_edit"] as const),
  ...(["would_error", "would_fault", "would_policy"] as const),
] as const;

/** Who decided what about whom. Absent is what a decision does not have. */
export interface Decision {
  /** When, in ISO 8601. */
  readonly time: string;
  readonly callback: CallbackName;
  /** The module that decided; several names, with commas, where it is not known which one did. */
  readonly module?: string;
  readonly outcome: DecisionOutcome;
  /** What may be shown of the answer, such as a code. */
  readonly answer?: string;
  /** Why there is no answer of a module, such as `deadline`; or what the module says about its answer. */
  readonly reason?: string;
  /** JSON that the module gives with it. */
  readonly details?: string;
  readonly room?: string;
  readonly user?: string;
  readonly event?: string;
  /** How long it took. */
  readonly ms: number;
  /** Synapse's id of the request. */
  readonly request?: string;
}

/** Which decisions: all that is given must hold. */
export interface DecisionFilter {
  readonly callback?: CallbackName;
  readonly module?: string;
  /** Without it, decisions that let everything pass are left out, as the admin's list does. */
  readonly outcome?: DecisionOutcome;
  readonly user?: string;
  readonly room?: string;
  readonly event?: string;
  /** No earlier ones. */
  readonly since?: Date | string | number;
  /** Waits until there are as many, for 10 s at most: for what Synapse does in the background. */
  readonly atLeast?: number;
}

export const DECISION_LOGGER = "synapse_module_bridge.decision";
/** Outcomes that changed nothing. */
const QUIET: ReadonlySet<DecisionOutcome> = new Set([
  "allowed",
  "answered",
  "left",
  "would_allow",
  "would_answer",
]);
const FIELDS = ["callback", "module", "outcome", "user", "room", "event"] as const;
const FILTERS: Readonly<Record<keyof DecisionFilter, true>> = {
  ...{ callback: true, module: true, outcome: true, user: true, room: true, event: true },
  ...{ since: true, atLeast: true },
};
const WAIT_MS = 10_000;
const LOOK_MS = 20;
// Synapse's formatter rounds the time to the hundredth of a second.
const ROUNDING_MS = 5;

export async function decisions(records: Records, filter: DecisionFilter = {}): Promise<Decision[]> {
  checkFilter(filter);
  const end = real.now() + WAIT_MS;
  for (;;) {
    const found = matching(records, filter);
    if (found.length >= (filter.atLeast ?? 0)) return found;
    if (real.now() > end)
      throw new Error(
        `waited ${WAIT_MS} ms in vain for ${filter.atLeast} decisions: there are ${found.length}`,
      );
    await real.pause(LOOK_MS);
  }
}

/** A misspelt filter would find nothing for ever, which a test may take for good news. */
function checkFilter(filter: DecisionFilter): void {
  const { callback, outcome, since } = filter;
  checkKeys("decisions", filter, FILTERS);
  if (callback !== undefined) checkWord("decisions", "callback", callback, catalogue().callbacks.keys());
  if (outcome !== undefined) checkWord("decisions", "outcome", outcome, OUTCOMES);
  if (since !== undefined && Number.isNaN(new Date(since).getTime()))
    throw new TypeError(`decisions: since: ${since} is no time`);
}

function matching(records: Records, filter: DecisionFilter): Decision[] {
  const since = filter.since === undefined ? 0 : new Date(filter.since).getTime() - ROUNDING_MS;
  return records
    .all()
    .flatMap((record) => decisionOf(record) ?? [])
    .filter((row) => FIELDS.every((field) => filter[field] === undefined || filter[field] === row[field]))
    .filter((row) => filter.outcome !== undefined || !QUIET.has(row.outcome))
    .filter((row) => Date.parse(row.time) >= since);
}

/** The decision that a record is; undefined for any other record. */
export function decisionOf(record: LogRecord): Decision | undefined {
  if (record.namespace !== DECISION_LOGGER || typeof record.callback !== "string") return undefined;
  // Python's log records have an attribute `module` of their own.
  const {
    time,
    callback,
    module_name: module,
    outcome,
    answer,
    reason,
    details,
    room,
    user,
    event,
    ms,
    request,
  } = record;
  const all = { callback, module, outcome, answer, reason, details, room, user, event, ms, request };
  const present = Object.entries(all).filter(([, value]) => value !== null && value !== undefined);
  return { time: new Date(time * 1000).toISOString(), ...Object.fromEntries(present) } as Decision;
}

/** What the attackers have brought about, in figures, and whether it is more than they may. */
import type { Killers } from "./killers.js";
import type { Problems } from "./problems.js";
import type { Seen } from "./seen.js";
import { NO_FAULT } from "./verdicts.js";
import type { Watch } from "./watch.js";

export interface Attacked {
  readonly started: number;
  readonly ended: number;
  readonly seen: Seen;
  readonly killers: Killers;
}

/** The design's bound, for each attacker and hour. */
const MOST_PASSED = 3;
// On a busy machine a reactor stands still by itself; then the twin's does, too.
const MOST_PAUSE_MS = 1500;

/** Messages of others that passed unjudged since users had ended Node. */
export function passedByAttack({ seen }: Attacked): number {
  const { passed } = seen.verdicts;
  return (passed.get("end of Node") ?? 0) + (passed.get("end of a thread") ?? 0);
}

/** How many the attackers may let pass. */
export function mayPass({ started, ended, seen }: Attacked): number {
  const attackers = new Set(seen.setAside.all.map(({ user }) => user));
  return MOST_PASSED * attackers.size * Math.ceil((ended - started) / 3_600_000);
}

export function judgeAttacks(attacked: Attacked, watch: Watch, problems: Problems): void {
  const { seen, killers } = attacked;
  const [passed, limit] = [passedByAttack(attacked), mayPass(attacked)];
  if (passed > limit) problems.add("too many messages passed unjudged", `${passed}, where ${limit} may`);
  for (const { name } of killers.all) {
    if (!killers.records.has(name) && attacked.ended - attacked.started > 60_000) {
      problems.add("attacker without a message", name);
    }
  }
  if (seen.deaths.unjudged > 0)
    problems.add("not judged again", `after the last ${seen.deaths.unjudged} ends`);
  if (seen.verdicts.pending + killers.pending > 0)
    problems.add("answers not judged", `${seen.verdicts.pending}`);
  const twin = Math.max(0, ...watch.pauses.twin.values());
  for (const [kind, ms] of watch.pauses.bridge) {
    if (ms > MOST_PAUSE_MS + twin) problems.add("reactor stood still", `${ms.toFixed(0)} ms, ${kind}`);
  }
  if (seen.verdicts.passed.has(NO_FAULT)) {
    problems.add("passed without a death", `${seen.verdicts.passed.get(NO_FAULT)}`);
  }
}

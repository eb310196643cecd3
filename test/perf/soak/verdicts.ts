/** Judges each pair of answers: equal, or different for a reason that the log gives, or unexplained. */
import type { Answer } from "../../support/client.js";
import { isEqual, normal } from "./compare.js";
import type { Decision, Decisions } from "./decisions.js";
import type { Latency } from "./latency.js";
import type { Operation } from "./operations.js";
import type { Problems } from "./problems.js";
import type { Windows } from "./windows.js";

export interface Done {
  readonly operation: Operation;
  readonly user: string;
  readonly from: number;
  readonly to: number;
  readonly bridge: readonly Answer[];
  readonly twin: readonly Answer[];
  /** How long each took. */
  readonly ms: { readonly bridge: number; readonly twin: number };
}

export interface VerdictTools {
  readonly windows: Windows;
  readonly decisions: Decisions;
  readonly problems: Problems;
  readonly latency: { readonly bridge: Latency; readonly twin: Latency };
  /** Whose requests are faults themselves. */
  isHostile(user: string): boolean;
}

// The clock of the log is that of this process, but a request has a way to go.
const CLOCK_SLACK_MS = 300;
// After so long a line is in the log, or never will be: also that of a hang that had begun before.
const LOG_DELAY_MS = 4000;

export class Verdicts {
  equal = 0;
  readonly equalByStatus = new Map<number, number>();
  /** Answers that policy has given, by operation and fault. */
  readonly byPolicy = new Map<string, number>();
  /** Of those that the twin refused and of those that it did not. */
  refusable = 0;
  honest = 0;
  /** What should have been refused and was not, by what was the matter; and the other way round, with the status. */
  readonly passed = new Map<string, number>();
  readonly refused = new Map<string, number>();
  #young: Done[] = [];
  #seen = 0;

  constructor(private readonly tools: VerdictTools) {}

  judge(done: Done): void {
    this.#young.push(done);
  }

  /** To be called now and then, when the log has been read: judges what is old enough to have its reasons in there. */
  settle(): void {
    const { failures } = this.tools.decisions;
    const until = Date.now() - LOG_DELAY_MS;
    for (; (failures[this.#seen]?.at ?? Number.POSITIVE_INFINITY) < until; this.#seen += 1) {
      this.#check(failures[this.#seen] as Decision);
    }
    const old = this.#young.filter(({ to }) => to < until);
    this.#young = this.#young.filter(({ to }) => to >= until);
    for (const done of old) this.#judge(done);
  }

  get pending(): number {
    return this.#young.length;
  }

  #judge(done: Done): void {
    const { windows, latency } = this.tools;
    const { from, to, operation } = done;
    if (!operation.isAttack && windows.during(from, to).length === 0) {
      latency.bridge.add(done.ms.bridge);
      latency.twin.add(done.ms.twin);
    }
    const [status, expected] = [done.bridge[0]?.status ?? 0, done.twin[0]?.status ?? 0];
    if (expected >= 400) this.refusable += 1;
    else this.honest += 1;
    if (isEqual(done.bridge, done.twin)) {
      this.equal += 1;
      count(this.equalByStatus, status);
      return;
    }
    const fault = this.#faultDuring(from, to);
    if (expected >= 400 && status < 400) count(this.passed, fault);
    if (expected < 400 && status >= 400) count(this.refused, `${status}, ${fault}`);
    this.#explain(done, fault);
  }

  #explain(done: Done, fault: string): void {
    const { decisions, windows, problems } = this.tools;
    const [answer] = done.bridge;
    if (!windows.mayDiffer(done.from, done.to)) {
      problems.add("difference outside of faults", describe(done));
    } else if (!answer || !done.operation.isPolicy(answer)) {
      problems.add("difference that is no policy answer", describe(done));
    } else {
      const reason = decisions.failures.findLast((decision) => backs(decision, done));
      if (reason) count(this.byPolicy, `${fault}: ${done.operation.kind}, ${reason.reason}`);
      else problems.add("policy answer without a line in the log", describe(done));
    }
  }

  /** What was done from outside counts before what users have done. */
  #faultDuring(from: number, to: number): string {
    const during = this.tools.windows.during(from, to).filter(({ harmless }) => !harmless);
    const [first] = during.toSorted((a, b) => Number(b.isInjected) - Number(a.isInjected));
    return first?.kind ?? NO_FAULT;
  }

  #check(decision: Decision): void {
    const { windows, problems } = this.tools;
    if (decision.user !== undefined && this.tools.isHostile(decision.user)) return;
    if (decision.reason === "quarantine")
      problems.add("policy for one set aside who is nobody's", decision.line);
    const from = decision.at - decision.ms - CLOCK_SLACK_MS;
    if (windows.mayDiffer(from, decision.at + CLOCK_SLACK_MS)) return;
    problems.add("decision by policy outside of faults", decision.line);
  }
}

export const NO_FAULT = "no fault";

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function backs(decision: Decision, done: Done): boolean {
  return (
    done.operation.callbacks.includes(decision.callback) &&
    (decision.user === undefined || decision.user === done.user) &&
    decision.at >= done.from - CLOCK_SLACK_MS &&
    decision.at <= done.to + CLOCK_SLACK_MS
  );
}

function describe({ operation, user, bridge, twin, from, to }: Done): string {
  const show = (answers: readonly Answer[]) => JSON.stringify(answers.map(normal)).slice(0, 400);
  const at = new Date(from).toISOString().slice(11, 23);
  return `${operation.kind} of ${user}, from ${at}, ${to - from} ms\n    bridge ${show(bridge)}\n    twin   ${show(twin)}`;
}

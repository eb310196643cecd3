/** Judges each pair of answers: equal, or different for a reason that the log gives, or unexplained. */
import type { Answer } from "../homeserver/client.js";
import { isEqual, normal } from "./compare.js";
import type { Decision, Decisions } from "./decisions.js";
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
}

// The clock of the log is that of this process, but a request has a way to go.
const CLOCK_SLACK_MS = 300;
// After so long a line is in the log, or never will be.
const LOG_DELAY_MS = 3000;

export class Verdicts {
  equal = 0;
  readonly equalByStatus = new Map<number, number>();
  /** Answers that policy has given, by operation and fault. */
  readonly byPolicy = new Map<string, number>();
  #unbacked: { done: Done; until: number }[] = [];
  #seen = 0;

  constructor(
    private readonly windows: Windows,
    private readonly decisions: Decisions,
    private readonly problems: Problems,
    /** Whose requests are faults themselves. */
    private readonly saboteur: string,
  ) {}

  judge(done: Done): void {
    if (isEqual(done.bridge, done.twin)) {
      this.equal += 1;
      const status = done.bridge[0]?.status ?? 0;
      this.equalByStatus.set(status, (this.equalByStatus.get(status) ?? 0) + 1);
      return;
    }
    const [answer] = done.bridge;
    if (!this.windows.mayDiffer(done.from, done.to)) {
      this.problems.add("difference outside of faults", describe(done));
    } else if (!answer || !done.operation.isPolicy(answer)) {
      this.problems.add("difference that is no policy answer", describe(done));
    } else {
      this.#unbacked.push({ done, until: Date.now() + LOG_DELAY_MS });
    }
  }

  /** To be called now and then: looks for the reasons in what the log has got since. */
  async settle(): Promise<void> {
    await this.decisions.read();
    const { failures } = this.decisions;
    for (; this.#seen < failures.length; this.#seen += 1) this.#check(failures[this.#seen] as Decision);
    const now = Date.now();
    this.#unbacked = this.#unbacked.filter(({ done, until }) => {
      const reason = failures.findLast((decision) => backs(decision, done));
      if (reason) {
        const fault = this.windows.during(done.from, done.to)[0]?.kind;
        const key = `${fault}: ${done.operation.kind}, ${reason.reason}`;
        this.byPolicy.set(key, (this.byPolicy.get(key) ?? 0) + 1);
      } else if (now > until) {
        this.problems.add("policy answer without a line in the log", describe(done));
      }
      return !reason && now <= until;
    });
  }

  get pending(): number {
    return this.#unbacked.length;
  }

  #check(decision: Decision): void {
    if (decision.user === this.saboteur) return;
    const from = decision.at - decision.ms - CLOCK_SLACK_MS;
    if (this.windows.mayDiffer(from, decision.at + CLOCK_SLACK_MS)) return;
    this.problems.add("decision by policy outside of faults", decision.line);
  }
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
  return `${operation.kind} of ${user}, ${to - from} ms\n    bridge ${show(bridge)}\n    twin   ${show(twin)}`;
}

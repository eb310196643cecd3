/** Users who end or hang Node by what they write, and whether their messages got what they are to get. */
import type { Decision, Decisions } from "./decisions.js";
import type { Actor } from "./operations.js";
import type { Problems } from "./problems.js";
import type { AllSetAside } from "./set-aside.js";
import type { Windows } from "./windows.js";

export interface Killer {
  readonly name: string;
  /** What test/perf/soak/misbehave.ts does. */
  readonly act: string;
  /** After which part of the soak. */
  readonly joins: number;
}

interface Sent {
  readonly killer: Killer;
  readonly user: string;
  readonly from: number;
  readonly to: number;
  readonly status: number;
  readonly text: string;
}

/** What came of what a killer has sent. */
export interface Outcomes {
  readonly statuses: Map<number, number>;
  /** Messages that passed one after the other, until they were set aside: at most. */
  mostPassed: number;
  passing: number;
}

const alone: readonly Killer[] = [
  { name: "crasher", act: "exit", joins: 0 },
  { name: "latecrasher", act: "throw later", joins: 0 },
  { name: "rejecter", act: "reject", joins: 0 },
  { name: "hanger", act: "block", joins: 0 },
];
/** One person who has several accounts. */
const gang: readonly Killer[] = [0.15, 0.3, 0.45, 0.6, 0.75].map((joins, index) => ({
  name: `gang${index}`,
  act: "exit",
  joins,
}));
const ATTACKED = "check_event_for_spam";
export const killers = [...alone, ...gang];

const isNewcomer = (user: string) => user.startsWith("@newcomer");
const isOfThese = (user: string) => killers.some(({ name }) => user.startsWith(`@${name}:`));

/** Whose content may end Node, and where: that of these, and of whoever was registered to do so once. */
export function isKiller(user: string, callback: string): boolean {
  return (
    (isNewcomer(user) && callback === "check_event_allowed") || (isOfThese(user) && callback === ATTACKED)
  );
}

/** Who breaks handlers, too. */
export function isHostile(user: string): boolean {
  return (
    isNewcomer(user) || isOfThese(user) || user.startsWith("@saboteur:") || user.startsWith("@attacker0:")
  );
}

const LOG_DELAY_MS = 4000;
const SLACK_MS = 300;
// Once set aside, whatever came before has been sent on.
const SET_ASIDE_AFTER_MS = 500;
// In a minute. Several who end it at the same time are found one after the other, and who ends it after the answer last.
const MOST_PASSED = 12;

export class Killers {
  readonly records = new Map<string, Outcomes>();
  #young: Sent[] = [];

  constructor(
    readonly all: readonly Killer[],
    private readonly actors: ReadonlyMap<string, Actor>,
    private readonly tools: {
      readonly windows: Windows;
      readonly decisions: Decisions;
      readonly setAside: AllSetAside;
      readonly problems: Problems;
    },
  ) {}

  /** Never rejects. */
  async send(killer: Killer): Promise<void> {
    const { client, room } = this.actors.get(killer.name) as Actor;
    const from = Date.now();
    const content = { msgtype: "m.text", body: "attack", "soak.attack": killer.act };
    const { status, text } = await client
      .send(room, content)
      .catch((error) => ({ status: 0, text: `${error}` }));
    this.#young.push({ killer, user: client.userId, from, to: Date.now(), status, text });
  }

  get pending(): number {
    return this.#young.length;
  }

  /** To be called now and then, when the log has been read. */
  settle(): void {
    const until = Date.now() - LOG_DELAY_MS;
    const old = this.#young.filter(({ to }) => to < until).toSorted((a, b) => a.from - b.from);
    this.#young = this.#young.filter(({ to }) => to >= until);
    for (const sent of old) this.#judge(sent);
  }

  #judge(sent: Sent): void {
    const { windows, setAside, problems } = this.tools;
    const { killer, user, from, to, status } = sent;
    const record = this.records.get(killer.name) ?? { statuses: new Map(), mostPassed: 0, passing: 0 };
    this.records.set(killer.name, record);
    record.statuses.set(status, (record.statuses.get(status) ?? 0) + 1);
    record.passing = status === 200 ? record.passing + 1 : status === 403 ? 0 : record.passing;
    record.mostPassed = Math.max(record.mostPassed, record.passing);
    const what = `${killer.act} of ${user}, from ${new Date(from).toISOString().slice(11, 23)}, ${to - from} ms: ${status} ${sent.text}`;
    if (status === 200 && setAside.holds(user, ATTACKED, from - SET_ASIDE_AFTER_MS, to)) {
      problems.add("not refused while set aside", what);
    } else if (status === 200 && killer.act !== "throw later" && !this.#letPass(sent)) {
      problems.add("killing message judged", what);
    } else if (status === 200 && record.passing > MOST_PASSED) {
      problems.add("killer not set aside", what);
    } else if (status === 503 && !windows.mayDiffer(from, to)) {
      problems.add("killing message put off outside of faults", what);
    } else if (![200, 403, 503].includes(status)) {
      problems.add("killing message with another answer", what);
    }
  }

  /** Whether policy has stood in for the module that it was meant for. */
  #letPass({ user, from, to }: Sent): boolean {
    const isIt = ({ at, callback, outcome, user: whose }: Decision) =>
      callback === ATTACKED &&
      outcome === "policy" &&
      whose === user &&
      at > from - SLACK_MS &&
      at < to + SLACK_MS;
    return this.tools.decisions.failures.some(isIt);
  }
}

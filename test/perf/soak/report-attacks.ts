/** The part of the report that tells of the attackers, as lines. */
import type { Attackers } from "./attackers.js";
import type { Death } from "./deaths.js";
import { type Attacked, mayPass, passedByAttack } from "./judge-attacks.js";

export function attacks(attacked: Attacked, { texts }: Attackers): readonly string[] {
  const { seen, killers, started, ended } = attacked;
  const { verdicts, windows, setAside } = seen;
  const users = new Set(setAside.all.map(({ user }) => user));
  const faulty = windows.share(started, ended);
  return [
    `messages of others that should be refused and passed: ${sum(verdicts.passed)} of ${verdicts.refusable} ` +
      `(${inOneLine(verdicts.passed) || "none"}); for ends by users ${passedByAttack(attacked)}, where ${mayPass(attacked)} may`,
    `honest requests that were refused or failed: ${sum(verdicts.refused)} of ${verdicts.honest} (${inOneLine(verdicts.refused) || "none"})`,
    `answers had to be those of the twin, whatever happened, for ${(100 * (1 - faulty)).toFixed(0)} % of the time`,
    ...["Node", "a thread"].map((of) =>
      lineOfDeaths(
        of,
        seen.deaths.all.filter((death) => death.of === of),
      ),
    ),
    `${setAside.all.length} times somebody was set aside, ${users.size} users in all, ${setAside.takenBack} times by mistake; ` +
      `${setAside.isolated} times a module was put into a thread of its own`,
    ...[...killers.records].map(([name, { statuses, mostPassed }]) => {
      const times = setAside.all.filter(({ user }) => user.startsWith(`@${name}:`)).length;
      return `${name.padEnd(12)} got ${inOneLine(statuses)}; set aside ${times} times, after at most ${mostPassed} that passed`;
    }),
    `${texts} hostile texts, answered as the twin does`,
  ];
}

/** The causes of ends, with how often and how soon it was judged again. */
export function ends(attacked: Attacked): readonly string[] {
  const byCause = new Map<string, Death[]>();
  for (const death of attacked.seen.deaths.all) {
    const key = `${death.of}: ${death.cause.replace(/\d+(\.\d+)? s/, "N s")}`;
    byCause.set(key, [...(byCause.get(key) ?? []), death]);
  }
  return [...byCause].sort().map(([cause, deaths]) => `${deaths.length}  ${cause}; ${judgedAgain(deaths)}`);
}

function lineOfDeaths(of: string, deaths: readonly Death[]): string {
  return deaths.length === 0 ? `no end of ${of}` : `${deaths.length} ends of ${of}; ${judgedAgain(deaths)}`;
}

function judgedAgain(deaths: readonly Death[]): string {
  const times = deaths
    .flatMap(({ at, judgedAt }) => (judgedAt === undefined ? [] : judgedAt - at))
    .sort(byNumber);
  if (times.length === 0) return "never judged again";
  return `judged again after ${times[times.length >> 1]} ms (median), ${times.at(-1)} ms (most)`;
}

const byNumber = (a: number, b: number) => a - b;
const sum = (counts: ReadonlyMap<unknown, number>) => [...counts.values()].reduce((total, n) => total + n, 0);
const inOneLine = (counts: ReadonlyMap<string | number, number>) =>
  [...counts].map(([name, n]) => `${n} ${typeof name === "number" ? "times " : ""}${name}`).join(", ");

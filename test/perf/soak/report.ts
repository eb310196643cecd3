/** The report that a soak ends with, as text. */
import type { Attackers } from "./attackers.js";
import { allFaults, type Outcome, rowsOf } from "./faults.js";
import type { Attacked } from "./judge-attacks.js";
import type { Latency } from "./latency.js";
import type { Idle } from "./leaks.js";
import type { Problems } from "./problems.js";
import { attacks, ends } from "./report-attacks.js";
import type { Series } from "./series.js";
import type { SoakOptions } from "./soak.js";
import type { Traffic } from "./traffic.js";
import type { Watch } from "./watch.js";

export interface Results {
  readonly options: SoakOptions;
  readonly problems: Problems;
  readonly outcomes: readonly Outcome[];
  readonly attacked: Attacked;
  readonly attackers: Attackers;
  readonly twinTracebacks: ReadonlyMap<string, number>;
  readonly traffic: Traffic;
  readonly watch: Watch;
  readonly before: Idle;
  readonly after: Idle;
}

// Of the longest kind of fault.
const WIDTH = 19;

export function report(results: Results): string {
  const { attacked, attackers, watch, twinTracebacks } = results;
  const { verdicts, decisions } = attacked.seen;
  const sections = [
    ["Soak", summary(results)],
    ["Requests, compared with the in-process twin", requests(results)],
    ["Answers by policy, each with its line in the log (fault: request, reason)", rows(verdicts.byPolicy)],
    ["Attackers", attacks(attacked, attackers)],
    ["Faults", faults(results)],
    ["Decisions in the log", rows(decisions.counts)],
    ["Ends of Node, by cause", rows(watch.metrics?.ends ?? new Map())],
    ["Ends of Node and its threads in the log", ends(attacked)],
    ["Tracebacks in the log of Synapse with the bridge", rows(decisions.tracebacks)],
    ["Tracebacks in the log of Synapse with the twin", rows(twinTracebacks)],
    ["Memory and descriptors (first, last, max)", resources(results)],
    ["Memory at each minute, MiB (bridge | twin | Node)", memories(results)],
    ["Latency outside of faults, ms (bridge | twin)", latencies(results)],
    ["Longest pause of the reactor, ms (bridge | twin)", pauses(results)],
    ["Problems", problems(results)],
  ] as const;
  return sections
    .map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`)
    .join("\n");
}

const secondsOf = ({ attacked: { started, ended } }: Results) => (ended - started) / 1000;

function summary(results: Results): readonly string[] {
  const { options, problems } = results;
  const passed = problems.counts.size === 0;
  return [
    `${passed ? "PASSED" : "FAILED"}: ${(secondsOf(results) / 60).toFixed(1)} min, seed ${options.seed}, ${options.perSecond} operations/s wanted`,
  ];
}

function requests(results: Results): readonly string[] {
  const { traffic, attacked, problems } = results;
  const { verdicts } = attacked.seen;
  const policies = sum(verdicts.byPolicy.values());
  const different = [...problems.counts].filter(([kind]) => /^difference|^policy answer/.test(kind));
  return [
    `${traffic.sent} operations (${(traffic.sent / secondsOf(results)).toFixed(1)}/s), ${traffic.skipped} left out since everybody waited; slowest ${traffic.slowestMs} ms`,
    inOneLine(traffic.byKind),
    `${verdicts.equal} equal (by status: ${inOneLine(verdicts.equalByStatus)})`,
    `${policies} answered by policy during a fault`,
    `${sum(different.map(([, count]) => count))} unexplained differences`,
  ];
}

function faults({ outcomes, watch }: Results): readonly string[] {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  const lines = kinds.map((kind) => {
    const same = outcomes.filter((outcome) => outcome.kind === kind);
    const statuses = [...new Set(same.flatMap((outcome) => outcome.statuses))].join(", ");
    const slowest = Math.max(...same.map(({ answeredMs }) => answeredMs));
    const recovered = Math.max(...same.map(({ recoveredMs }) => recoveredMs));
    const answered = statuses ? `answered ${statuses} within ${slowest} ms, ` : "";
    const where = `(row${rowsOf[kind]?.length === 1 ? "" : "s"} ${rowsOf[kind]?.join(", ")})`;
    return `${kind.padEnd(WIDTH)} ${String(same.length).padStart(3)}   ${answered}well again within ${recovered} ms ${where}`;
  });
  const left = allFaults.filter((kind) => !kinds.includes(kind));
  return [
    ...lines,
    `${outcomes.length} in all; ${watch.nodes.started} Nodes were started`,
    left.length === 0 ? "every kind of fault has come" : `not come in this time: ${left.join(", ")}`,
  ];
}

function resources({ watch, before, after }: Results): readonly string[] {
  const { memory, descriptors, nodes, metrics } = watch;
  const life = nodes.lastLife();
  return [
    `Synapse with the bridge   ${megabytes(memory.bridge)}   descriptors ${values(descriptors.bridge)}`,
    `Synapse with the twin     ${megabytes(memory.twin)}   descriptors ${values(descriptors.twin)}`,
    `Node, all of them         ${megabytes(nodes.memory)}   descriptors ${values(nodes.descriptors)}`,
    `the last Node, grown up   ${megabytes(life.memory)}   descriptors ${values(life.descriptors)}, over ${life.seconds.toFixed(0)} s`,
    `idle, before and after    bridge ${before.bridge}, ${after.bridge}; Node ${before.node}, ${after.node}; twin ${before.twin}, ${after.twin} descriptors`,
    `calls in flight ${values(watch.inFlight)}; waiting ${values(watch.waiting)}; notifications queued ${values(watch.queued)}`,
    `late answers ${metrics?.lateAnswers}, notifications dropped ${metrics?.dropped}, log lines dropped ${metrics?.logDropped}`,
  ];
}

function memories({ watch }: Results): readonly string[] {
  const [bridge, twin, node] = (["bridge", "twin", "node"] as const).map((who) =>
    watch.minutes.map((minute) => ((minute[who] ?? 0) / 2 ** 20).toFixed(0)),
  );
  return [bridge, twin, node].map((values) => values?.join(" ") ?? "");
}

function latencies({ attacked }: Results): readonly string[] {
  const { latency } = attacked.seen;
  const twin = latency.twin.perMinute();
  const show = (figures: ReturnType<Latency["overall"]> | undefined) =>
    figures
      ? `p50 ${figures.p50.toFixed(0)}, p99 ${figures.p99.toFixed(0)}, max ${figures.max.toFixed(0)}`
      : "-";
  const perMinute = latency.bridge
    .perMinute()
    .map(
      (figures, minute) =>
        `minute ${minute + 1}: ${show(figures)} | ${show(twin[minute])} (${figures.count})`,
    );
  return [`overall: ${show(latency.bridge.overall())} | ${show(latency.twin.overall())}`, ...perMinute];
}

function pauses({ watch }: Results): readonly string[] {
  const { bridge, twin } = watch.pauses;
  const kinds = [...new Set([...bridge.keys(), ...twin.keys()])].sort();
  return kinds.map(
    (kind) =>
      `${kind.padEnd(WIDTH)} ${(bridge.get(kind) ?? 0).toFixed(0)} | ${(twin.get(kind) ?? 0).toFixed(0)}`,
  );
}

function problems({ problems: { counts, examples } }: Results): readonly string[] {
  return counts.size === 0 ? ["none"] : [...rows(counts), ...examples];
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const rows = (counts: ReadonlyMap<string, number>) =>
  counts.size === 0 ? ["none"] : [...counts].sort(byName).map(([name, count]) => `${count}  ${name}`);
const byName = ([a]: readonly [string, number], [b]: readonly [string, number]) => (a < b ? -1 : 1);
const inOneLine = (counts: ReadonlyMap<string | number, number>) =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
const values = ({ first, last, max }: Series) => `${first ?? "-"}, ${last ?? "-"}, ${max}`;
const megabytes = ({ first, last, max }: Series) =>
  `${[first, last, max].map((bytes) => (bytes === undefined ? "-" : (bytes / 2 ** 20).toFixed(0))).join(", ")} MiB`;

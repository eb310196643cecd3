// Writes what a replay has found, for people.
import { printable as shown } from "../base/printable.js";
import { formatTable } from "../base/table.js";
import type { CallbackReport, Difference, Example } from "./comparison.js";
import type { ReplayReport } from "./replay.js";

export function formatReport(report: ReplayReport): string {
  const { callbacks, calls, module, file, from, to, recorded_by, seconds } = report;
  const by = `bridge ${recorded_by.bridge.join(", ")}, Synapse ${recorded_by.synapse.join(", ")}`;
  const parts = [
    `${shown(file)} was asked ${number(calls)} ${calls === 1 ? "call" : "calls"} of ${shown(module)}, recorded from ${from} to ${to} (${shown(by)}), in ${seconds} s`,
    ...Object.entries(callbacks).map(([name, one]) => formatCallback(name, one)),
    times(callbacks),
    counts("The recording does not have what the module asked for:", report.missing),
    counts("The module wrote, and nothing was written:", report.writes),
    sentences(report),
    conclusion(report),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function formatCallback(name: string, one: CallbackReport): string {
  const notes = [
    one.not_asked > 0 ? `${number(one.not_asked)} not asked` : "",
    one.cached > 0 ? `${number(one.cached)} answered by its ttl` : "",
  ].filter((note) => note !== "");
  const aside = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  const head = `${name}: ${number(one.same)} of ${number(one.calls)} as recorded${aside}`;
  const uncertain = one.uncertain.map((kind) =>
    formatDifference(kind, ", where the recording lacks something"),
  );
  return [head, ...one.differences.map((kind) => formatDifference(kind, "")), ...uncertain].join("\n");
}

function formatDifference({ from, to, count, examples }: Difference, aside: string): string {
  const lines = examples.map((example) => `    ${formatExample(example)}`);
  const more = count > examples.length ? [`    and ${number(count - examples.length)} more`] : [];
  const kind = from === to ? `${shown(from)}, but with other content` : `${shown(from)} → ${shown(to)}`;
  return [`  ${kind}: ${number(count)}${aside}`, ...lines, ...more].join("\n");
}

function formatExample({ at, user, room, event, message }: Example): string {
  const ids = [event, user && `by ${user}`, room && `in ${room}`].filter((one) => one !== undefined);
  return shown([`${at}`, ...ids].join(" ")) + (message === undefined ? "" : `: ${shown(message)}`);
}

function times(callbacks: ReplayReport["callbacks"]): string {
  const rows = Object.entries(callbacks).map(([name, { recorded, replayed }]) => [
    name,
    ...[recorded.p50, recorded.p99, replayed.p50, replayed.p99].map((ms) => ms.toFixed(3)),
  ]);
  if (rows.length === 0) return "";
  return formatTable(["milliseconds", "recorded p50", "p99", "now p50", "p99"], rows);
}

function counts(title: string, all: Readonly<Record<string, number>>): string {
  const rows = Object.entries(all).sort(([, one], [, other]) => other - one);
  if (rows.length === 0) return "";
  return [title, ...rows.map(([what, count]) => `  ${shown(what)}: ${number(count)}`)].join("\n");
}

function sentences(report: ReplayReport): string {
  const { borrowed, skipped, without_calls, unknown_callbacks } = report;
  const unknown = Object.entries(unknown_callbacks).map(
    ([name, count]) => `${shown(name)} (${number(count)})`,
  );
  return [
    borrowed > 0 ? `${number(borrowed)} answers of the api come from other calls.` : "",
    without_calls.length > 0 ? `The recording has no calls of ${without_calls.join(", ")}.` : "",
    unknown.length > 0 ? `This version of the bridge does not know ${unknown.join(", ")}.` : "",
    skipped.torn > 0 ? `${number(skipped.torn)} files end within a line, which was skipped.` : "",
    skipped.unreadable > 0 ? `${number(skipped.unreadable)} lines are no lines of a recording.` : "",
    skipped.removed > 0
      ? `${skipped.removed === 1 ? "1 file was removed before it was read, and its" : `${number(skipped.removed)} files were removed before they were read, and their`} calls are left out: Synapse removes the oldest while it records.`
      : "",
  ]
    .filter((one) => one !== "")
    .join("\n");
}

function conclusion({ differing, uncertain, calls }: ReplayReport): string {
  if (differing === 0 && uncertain === 0) return `All ${number(calls)} verdicts are as recorded.`;
  const rest =
    uncertain > 0
      ? `; ${number(uncertain)} more cannot be compared, since the recording lacks something`
      : "";
  return `${number(differing)} of ${number(calls)} verdicts differ${rest}.`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

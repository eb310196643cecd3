// What the bridge has to reach: medians of the ratios in each round of one run, so that they hold on a slow machine too.
import { JOIN } from "./join.js";
import { type Figures, keyOf, median, SEND_AFTER_MS } from "./rounds.js";
import { RESTART, START } from "./start.js";
import type { VariantName } from "./variants.js";

export interface Goal {
  readonly what: string;
  readonly wanted: string;
  readonly value: number;
  readonly met: boolean;
}

type At = (measurement: string, variant: VariantName, figure: string) => number;

export function judge(figures: Figures): readonly Goal[] {
  const goal = (
    what: string,
    bound: "at most" | "at least",
    limit: number,
    unit: string,
    value: (at: At) => number,
  ) => {
    const found = overRounds(figures, value);
    const met = bound === "at most" ? found <= limit : found >= limit;
    return { what, value: found, wanted: `${bound} ${limit} ${unit}`, met };
  };
  const added = (at: At, measurement: string, variant: VariantName, figure: string) =>
    at(measurement, variant, figure) - at(measurement, "python", figure);
  const withMembers = (at: At, members: number) =>
    added(at, `check_event_allowed, ${members} members`, "bridge", "p50");
  return [
    goal(
      "latency added to a call, of what a bare bridge adds",
      "at most",
      1.25,
      "x",
      (at) => added(at, "alone", "bridge", "p50") / added(at, "alone", "bare", "p50"),
    ),
    goal(
      "latency added, of what HTTP adds",
      "at most",
      0.2,
      "x",
      (at) => added(at, "alone", "bridge", "p50") / added(at, "alone", "http", "p50"),
    ),
    goal(
      "calls/s with 32 at once, of HTTP's",
      "at least",
      12,
      "x",
      (at) => at("32 at once", "bridge", "calls/s") / at("32 at once", "http", "calls/s"),
    ),
    goal(
      "CPU added with 32 at once, of what HTTP adds",
      "at most",
      0.05,
      "x",
      (at) => added(at, "32 at once", "bridge", "cpu") / added(at, "32 at once", "http", "cpu"),
    ),
    goal("a call that `match` refuses, more than Python", "at most", 5, "us", (at) =>
      added(at, "alone", "filtered", "p50"),
    ),
    goal(
      "latency added with 10,000 members, of that with 10",
      "at most",
      1.2,
      "x",
      (at) => withMembers(at, 10_000) / withMembers(at, 10),
    ),
    goal(
      "CPU of a client's message, of that while no module is asked",
      "at most",
      1.03,
      "x",
      (at) => at("message of a client", "bridge", "cpu") / at("message of a client", "bridge", "unasked cpu"),
    ),
    goal(
      "calls/s of Python in process, of those of 10,000 at once",
      "at most",
      2,
      "x",
      (at) => at("10,000 at once", "python", "calls/s") / at("10,000 at once", "bridge", "calls/s"),
    ),
    goal(
      "a client's send amid the burst, of the time that the burst takes once it has begun",
      "at most",
      0.5,
      "x",
      (at) => {
        const [begun, ended] = [
          at("10,000 at once", "bridge", "begun"),
          at("10,000 at once", "bridge", "max"),
        ];
        const sent = SEND_AFTER_MS * 1e3 + at("10,000 at once", "bridge", "send");
        return (sent - begun) / (ended - begun);
      },
    ),
    goal(
      "a remote join, of one with Python in process",
      "at most",
      1.1,
      "x",
      (at) => at(JOIN, "bridge", "max") / at(JOIN, "python", "max"),
    ),
    goal(
      "a remote join, of one without a module",
      "at most",
      1.25,
      "x",
      (at) => at(JOIN, "bridge", "max") / at(JOIN, "none", "max"),
    ),
    goal(
      "start of Synapse, more than without a module",
      "at most",
      400,
      "ms",
      (at) => (at(START, "bridge", "max") - at(START, "none", "max")) / 1e3,
    ),
    goal(
      "Node killed, until the next one answers",
      "at most",
      400,
      "ms",
      (at) => at(RESTART, "bridge", "max") / 1e3,
    ),
    goal("Node's memory (PSS) once Synapse is up", "at most", 35, "MB", (at) =>
      at(START, "bridge", "Node MB"),
    ),
  ];
}

/** The median of what follows from the figures of each round: a machine may be slower in one than in another. */
function overRounds(figures: Figures, value: (at: At) => number): number {
  const rounds = Math.max(...[...figures.values()].map(({ length }) => length));
  const values = Array.from({ length: rounds }, (_, round) =>
    value(
      (measurement, variant, figure) =>
        figures.get(keyOf(measurement, variant, figure))?.[round] ?? Number.NaN,
    ),
  );
  // Some are measured in fewer rounds.
  return median(values.filter((found) => !Number.isNaN(found)));
}

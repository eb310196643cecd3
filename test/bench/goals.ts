// What the bridge has to reach: ratios of medians of one run, so that they hold on a slow machine too.
import { type Figures, keyOf, median, SEND_AFTER_MS } from "./rounds.js";
import type { SideName } from "./sides.js";
import { START } from "./start.js";

export interface Goal {
  readonly what: string;
  readonly wanted: string;
  readonly value: number;
  readonly met: boolean;
}

export function judge(figures: Figures): readonly Goal[] {
  const at = (measurement: string, side: SideName, figure: string) =>
    median(figures.get(keyOf(measurement, side, figure)));
  const added = (measurement: string, side: SideName, figure: string) =>
    at(measurement, side, figure) - at(measurement, "python", figure);
  const most = (what: string, value: number, limit: number, unit = "x") => ({
    ...{ what, value, met: value <= limit },
    wanted: `at most ${limit} ${unit}`,
  });
  const least = (what: string, value: number, limit: number) => ({
    ...{ what, value, met: value >= limit },
    wanted: `at least ${limit} x`,
  });
  const echo = at("blocking echo over a pipe", "none", "p50");
  const state = (members: number) => added(`check_event_allowed, ${members} members`, "bridge", "p50");
  const sent = SEND_AFTER_MS * 1e3 + at("10,000 at once", "bridge", "send");
  return [
    most("latency added to a call, of a blocking echo", added("alone", "bridge", "p50") / echo, 1.3),
    most(
      "latency added, of what HTTP adds",
      added("alone", "bridge", "p50") / added("alone", "http", "p50"),
      0.2,
    ),
    least(
      "calls/s with 32 at once, of HTTP's",
      at("32 at once", "bridge", "calls/s") / at("32 at once", "http", "calls/s"),
      8,
    ),
    most(
      "CPU added with 32 at once, of what HTTP adds",
      added("32 at once", "bridge", "cpu") / added("32 at once", "http", "cpu"),
      0.1,
    ),
    most("a call that `match` refuses, more than Python", added("alone", "filtered", "p50"), 5, "us"),
    most("latency added with 10,000 members, of that with 10", state(10_000) / state(10), 1.2),
    most(
      "CPU of a client's message, of that while no module is asked",
      at("message of a client", "bridge", "cpu") / at("message of a client", "bridge", "unasked cpu"),
      1.03,
    ),
    most(
      "a client's send amid the burst, of the time that the burst takes once it has begun",
      (sent - at("10,000 at once", "bridge", "begun")) /
        (at("10,000 at once", "bridge", "max") - at("10,000 at once", "bridge", "begun")),
      0.5,
    ),
    most(
      "start of Synapse, more than without a module",
      (at(START, "bridge", "max") - at(START, "none", "max")) / 1e3,
      400,
      "ms",
    ),
    most("Node's memory once Synapse is up", at(START, "bridge", "Node MB"), 60, "MB"),
  ];
}

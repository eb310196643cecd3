/** Whether anything was left behind at the end: descriptors, memory of Node, calls, processes. */
import { setTimeout as pause } from "node:timers/promises";
import { descriptorsOf } from "../../support/processes.js";
import type { Problems } from "./problems.js";
import type { Servers } from "./servers.js";
import type { Watch } from "./watch.js";

export interface Idle {
  readonly bridge: number | undefined;
  readonly twin: number | undefined;
  readonly node: number | undefined;
}

// This process keeps idle connections open for 4 s.
const QUIET_MS = 8000;
// Of Node: a module that has ended it twice has a thread of its own, of seven descriptors.
const MOST_NEW_DESCRIPTORS = { bridge: 6, node: 13 };
const MOST_GROWTH = 0.3;
// Over less time, growth says nothing.
const JUDGE_MEMORY_AFTER_S = 120;
// Of Synapse, beyond what the other one grows by, from a quarter of the time on.
const JUDGE_SYNAPSE_AFTER_MINUTES = 8;
const MOST_GROWTH_OF_SYNAPSE = 0.2;

/** The open descriptors of everybody while nothing is asked. */
export async function idleDescriptors(servers: Servers, watch: Watch): Promise<Idle> {
  await pause(QUIET_MS);
  const node = watch.nodes.current();
  return {
    bridge: descriptorsOf(servers.bridge.pid),
    twin: descriptorsOf(servers.twin.pid),
    node: node && descriptorsOf(node.pid),
  };
}

export function judgeLeaks(watch: Watch, before: Idle, after: Idle, problems: Problems): void {
  for (const who of ["bridge", "node"] as const) {
    const [first, last] = [before[who], after[who]];
    if (first === undefined || last === undefined) problems.add("no descriptors seen", who);
    else if (last - first > MOST_NEW_DESCRIPTORS[who])
      problems.add("descriptors leaked", `${who}: ${first}, then ${last}`);
  }
  const { seconds, memory } = watch.nodes.lastLife();
  const [early, late] = memory.leastOfHalves() ?? [0, 0];
  if (seconds >= JUDGE_MEMORY_AFTER_S && late > early * (1 + MOST_GROWTH)) {
    problems.add(
      "memory of Node grew",
      `never under ${early} bytes, then never under ${late}, in ${seconds.toFixed(0)} s`,
    );
  }
  judgeSynapse(watch, problems);
  const { inFlight = 0, waiting = 0, queued = 0 } = watch.metrics ?? {};
  if (inFlight + waiting + queued > 0) {
    problems.add("calls left", `${inFlight} in flight, ${waiting} waiting, ${queued} notifications`);
  }
}

function judgeSynapse({ minutes }: Watch, problems: Problems): void {
  const [first, last] = [minutes[minutes.length >> 2], minutes.at(-1)];
  if (
    minutes.length < JUDGE_SYNAPSE_AFTER_MINUTES ||
    !first?.bridge ||
    !first.twin ||
    !last?.bridge ||
    !last.twin
  )
    return;
  const grown = last.bridge - first.bridge - (last.twin - first.twin);
  if (grown > first.bridge * MOST_GROWTH_OF_SYNAPSE) {
    problems.add("memory of Synapse grew", `${grown} bytes more than that of the twin`);
  }
}

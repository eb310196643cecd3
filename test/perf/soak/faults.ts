/** The faults of the soak: each is done to the bridge's side, and over when the bridge is well again. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isAlive, type Process } from "../../support/processes.js";
import type { Random } from "../../support/random.js";
import type { Deaths } from "./deaths.js";
import { isKilling, isMessage, sendFault } from "./fault-messages.js";
import { readMetrics } from "./metrics.js";
import type { Actor } from "./operations.js";
import { pipeBetween } from "./pipe.js";
import type { Problems } from "./problems.js";
import type { Reloads } from "./reloads.js";
import type { Servers } from "./servers.js";
import type { AllSetAside } from "./set-aside.js";
import type { Windows } from "./windows.js";

export interface FaultTools {
  readonly random: Random;
  readonly servers: Servers;
  /** Sends what breaks a handler, but ends nothing. */
  readonly saboteur: Actor;
  readonly prober: Actor;
  /** Somebody who has done nothing yet. */
  newcomer(): Promise<Actor>;
  readonly windows: Windows;
  readonly deaths: Deaths;
  readonly reloads: Reloads;
  readonly setAside: AllSetAside;
  readonly problems: Problems;
  /** The Node that serves now. */
  node(): Process | undefined;
}

const RECOVERY_MS = 90_000;
const TAKEOVER_MS = 40_000;
// Until what has happened is known from the log.
const LOG_DELAY_MS = 4000;

/** Whoever is not concerned notices these: nobody has sent anything that could be set aside. */
const harmful = new Set(["kill", "stop", "full pipe", "garbage"]);

export const gentleFaults = ["throw", "never settle", "slow"];

/** All kinds, each with its rows in test/support/faults.json. */
export const rowsOf: Readonly<Record<string, readonly number[]>> = {
  kill: [6, 7],
  stop: [15],
  "full pipe": [16],
  garbage: [20, 21, 22, 23],
  reload: [38],
  "bad reload": [38],
  throw: [9],
  "never settle": [11],
  slow: [13],
  block: [12],
  exit: [9],
  "unhandled rejection": [9],
  flood: [17],
  "out of memory": [10],
};
export const allFaults = Object.keys(rowsOf);

export interface Outcome {
  readonly kind: string;
  /** What the sender of the message got, and how long anything took to be well again. */
  readonly statuses: readonly number[];
  readonly answeredMs: number;
  readonly recoveredMs: number;
}

export async function inject(kind: string, tools: FaultTools): Promise<Outcome | undefined> {
  const author = isKilling(kind) ? await tools.newcomer().catch(() => undefined) : tools.saboteur;
  if (!author) {
    tools.problems.add("no new user", `for "${kind}"`);
    return undefined;
  }
  const window = tools.windows.open(kind, !harmful.has(kind));
  const began = Date.now();
  const statuses = isMessage(kind) ? await sendFault(kind, author, tools) : [];
  if (!isMessage(kind)) await cause(kind, tools);
  const answeredMs = Date.now() - began;
  await recovery(kind, tools);
  // What was under way may end a little later.
  await pause(1000);
  window.to = Date.now();
  return { kind, statuses, answeredMs, recoveredMs: window.to - began };
}

async function cause(kind: string, tools: FaultTools): Promise<void> {
  const node = tools.node();
  if (kind === "kill") {
    if (node && isAlive(node)) process.kill(node.pid, "SIGKILL");
  } else if (kind === "stop") {
    if (!node || !isAlive(node)) return;
    process.kill(node.pid, "SIGSTOP");
    await pause(tools.random.between(1000, 8000));
    if (isAlive(node)) process.kill(node.pid, "SIGCONT");
  } else if (kind === "full pipe") {
    await fillPipe(node, tools);
  } else if (kind === "garbage") {
    writeGarbage(node, tools);
  } else if (kind === "reload") {
    await reload(tools);
  } else if (kind === "bad reload") {
    await badReload(tools);
  }
}

function writeGarbage(node: Process | undefined, { servers, problems }: FaultTools): void {
  if (!node || !isAlive(node)) return;
  const wire = pipeBetween(node.pid, servers.bridge.pid);
  if (wire) appendFileSync(wire, "this is no frame\r\n\r\n");
  else if (isAlive(node)) problems.add("no wire found", `of Node ${node.pid}`);
}

async function reload({ servers, problems, reloads }: FaultTools): Promise<void> {
  const { taken, refused } = reloads;
  const before = taken.length;
  let refusals = refused.length;
  servers.changePolicy();
  process.kill(servers.bridge.pid, "SIGHUP");
  const until = Date.now() + TAKEOVER_MS;
  while (taken.length === before) {
    if (Date.now() > until) return problems.add("reload not taken", `after ${TAKEOVER_MS} ms`);
    if (refused.length > refusals) {
      // Node has ended meanwhile.
      refusals = refused.length;
      process.kill(servers.bridge.pid, "SIGHUP");
    }
    await pause(200);
  }
}

/** More for a stopped Node than a pipe holds; the bridge ends a Node that does not answer. */
async function fillPipe(node: Process | undefined, { prober, problems }: FaultTools): Promise<void> {
  if (!node || !isAlive(node)) return;
  process.kill(node.pid, "SIGSTOP");
  const content = { msgtype: "m.text", body: "fault", filler: "z".repeat(30_000) };
  const sent = Array.from({ length: 20 }, () => prober.client.send(prober.room, content));
  for (const { status, text } of await Promise.all(sent)) {
    // What is in line when Node is ended is asked of the next one.
    if (status !== 503 && status !== 200) problems.add("full pipe with another answer", `${status} ${text}`);
  }
  if (isAlive(node)) process.kill(node.pid, "SIGCONT");
}

/** A version that does not load: the one that runs must go on, and whatever tried the other must end. */
async function badReload({ servers, problems, node, reloads, deaths }: FaultTools): Promise<void> {
  const [before, began] = [node(), Date.now()];
  const repair = servers.breakPolicy();
  const refusals = reloads.refused.length;
  process.kill(servers.bridge.pid, "SIGHUP");
  const until = began + TAKEOVER_MS;
  while (reloads.refused.length === refusals) {
    if (Date.now() > until) {
      problems.add("bad reload not refused", `after ${TAKEOVER_MS} ms`);
      break;
    }
    await pause(200);
  }
  repair();
  if (before && isAlive(before)) return;
  await pause(LOG_DELAY_MS);
  // Others may have ended it.
  if (!deaths.all.some(({ of, at }) => of === "Node" && at > began - 1000)) {
    problems.add("bad reload has ended a Node", `${before?.pid}`);
  }
}

/** Waits until a module answers again and nothing is held back any more. */
async function recovery(kind: string, { prober, servers, problems }: FaultTools): Promise<void> {
  const until = Date.now() + RECOVERY_MS;
  for (;;) {
    const probe = await prober.client.say(prober.room, "teapot").catch(() => undefined);
    if (probe?.status === 418) {
      const metrics = await readMetrics(servers.bridge.baseUrl).catch(() => undefined);
      if (metrics?.up === 1 && metrics.breakersOpen === 0 && metrics.waiting === 0) return;
    }
    if (Date.now() > until) return problems.add("no recovery", `${RECOVERY_MS} ms after "${kind}"`);
    await pause(300);
  }
}

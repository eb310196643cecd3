/** The faults of the soak: each is done to the bridge's side, and over when the bridge is well again. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { readMetrics } from "./metrics.js";
import type { Actor } from "./operations.js";
import type { Problems } from "./problems.js";
import { isAlive, type Process, pipeBetween } from "./processes.js";
import type { Random } from "./random.js";
import type { Servers } from "./servers.js";
import { DEADLINE_MS } from "./traffic.js";
import type { Windows } from "./windows.js";

export interface FaultTools {
  readonly random: Random;
  readonly servers: Servers;
  readonly saboteur: Actor;
  readonly windows: Windows;
  readonly problems: Problems;
  /** The Node that serves now. */
  node(): Process | undefined;
}

// For what Synapse does around the callback.
const SLACK_MS = 1500;
const RECOVERY_MS = 90_000;
const TAKEOVER_MS = 40_000;

/** Messages that the policy module obeys, and the statuses that their senders may get. */
const messages: Readonly<Record<string, readonly number[]>> = {
  throw: [500],
  "never settle": [503],
  slow: [200],
  "unhandled rejection": [503],
  block: [503],
  exit: [503],
  flood: [200, 503],
  "out of memory": [503],
};
/** Only whoever causes one of these notices it. */
const harmless = new Set(["throw", "never settle", "slow", "reload", "bad reload"]);

export const gentleFaults = ["throw", "never settle", "slow"];

/** All kinds, each with its rows in test/faults/rows.json. */
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
  readonly status: number | undefined;
  readonly answeredMs: number;
  readonly recoveredMs: number;
}

export async function inject(kind: string, tools: FaultTools): Promise<Outcome> {
  const window = tools.windows.open(kind, harmless.has(kind));
  const began = Date.now();
  const status = await cause(kind, tools);
  const answeredMs = Date.now() - began;
  await recovery(kind, tools);
  // What was under way may end a little later.
  await pause(1000);
  window.to = Date.now();
  return { kind, status, answeredMs, recoveredMs: window.to - began };
}

async function cause(kind: string, tools: FaultTools): Promise<number | undefined> {
  const node = tools.node();
  if (kind === "kill") {
    if (node && isAlive(node)) process.kill(node.pid, "SIGKILL");
  } else if (kind === "stop") {
    if (!node || !isAlive(node)) return undefined;
    process.kill(node.pid, "SIGSTOP");
    await pause(tools.random.between(1000, 8000));
    if (isAlive(node)) process.kill(node.pid, "SIGCONT");
  } else if (kind === "full pipe") {
    await fillPipe(node, tools);
  } else if (kind === "garbage") {
    const wire = node && pipeBetween(node.pid, tools.servers.bridge.pid);
    if (!wire) tools.problems.add("no wire found", `of Node ${node?.pid}`);
    else appendFileSync(wire, "this is no frame\r\n\r\n");
  } else if (kind === "reload") {
    await reload(tools);
  } else if (kind === "bad reload") {
    await badReload(tools);
  } else {
    return message(kind, tools);
  }
  return undefined;
}

async function reload({ servers, problems, node }: FaultTools): Promise<void> {
  const before = node()?.pid;
  servers.changePolicy();
  process.kill(servers.bridge.pid, "SIGHUP");
  const until = Date.now() + TAKEOVER_MS;
  while (node()?.pid === before) {
    if (Date.now() > until) return problems.add("reload without a new Node", `after ${TAKEOVER_MS} ms`);
    await pause(200);
  }
  // It is there, and takes over once it is set up.
  await pause(1000);
}

/** More for a stopped Node than a pipe holds; the bridge ends a Node that does not answer. */
async function fillPipe(node: Process | undefined, { saboteur, problems }: FaultTools): Promise<void> {
  if (!node || !isAlive(node)) return;
  process.kill(node.pid, "SIGSTOP");
  const content = { msgtype: "m.text", body: "fault", filler: "z".repeat(30_000) };
  const sent = Array.from({ length: 20 }, () => saboteur.client.send(saboteur.room, content));
  for (const { status, text } of await Promise.all(sent)) {
    // What is in line when Node is ended is asked of the next one.
    if (status !== 503 && status !== 200) problems.add("full pipe with another answer", `${status} ${text}`);
  }
  if (isAlive(node)) process.kill(node.pid, "SIGCONT");
}

/** A version that does not load: the one that runs must go on, and whatever tried the other must end. */
async function badReload({ servers, problems, node }: FaultTools): Promise<void> {
  const before = node();
  const repair = servers.breakPolicy();
  const refusals = servers.refusedReloads();
  process.kill(servers.bridge.pid, "SIGHUP");
  const until = Date.now() + TAKEOVER_MS;
  while (servers.refusedReloads() === refusals) {
    if (Date.now() > until) {
      problems.add("bad reload not refused", `after ${TAKEOVER_MS} ms`);
      break;
    }
    await pause(200);
  }
  repair();
  if (!before || !isAlive(before)) problems.add("bad reload has ended a Node", `${before?.pid}`);
}

async function message(kind: string, { saboteur, problems }: FaultTools): Promise<number> {
  const began = Date.now();
  const content = { msgtype: "m.text", body: "fault", "soak.fault": kind };
  const answer = await saboteur.client
    .send(saboteur.room, content)
    .catch((error) => ({ status: 0, text: `${error}` }));
  const ms = Date.now() - began;
  if (ms > DEADLINE_MS + SLACK_MS) problems.add("missed deadline", `the message "${kind}" took ${ms} ms`);
  if (!messages[kind]?.includes(answer.status)) {
    problems.add("fault message with another answer", `"${kind}" got ${answer.status} ${answer.text}`);
  }
  return answer.status;
}

/** Waits until a module answers again and nothing is held back any more. */
async function recovery(kind: string, { saboteur, servers, problems }: FaultTools): Promise<void> {
  const until = Date.now() + RECOVERY_MS;
  for (;;) {
    const probe = await saboteur.client.say(saboteur.room, "teapot").catch(() => undefined);
    if (probe?.status === 418) {
      const metrics = await readMetrics(servers.bridge.baseUrl).catch(() => undefined);
      if (metrics?.up === 1 && metrics.breakersOpen === 0 && metrics.waiting === 0) return;
    }
    if (Date.now() > until) return problems.add("no recovery", `${RECOVERY_MS} ms after "${kind}"`);
    await pause(300);
  }
}

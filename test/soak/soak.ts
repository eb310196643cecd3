/** The soak: two servers, steady traffic, faults at random on one side, and a report of what came of it. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Decisions } from "./decisions.js";
import type { Outcome } from "./faults.js";
import { Latency } from "./latency.js";
import { type Idle, idleDescriptors, judgeLeaks } from "./leaks.js";
import { makePeople } from "./people.js";
import { injectFaults } from "./plan.js";
import { Problems } from "./problems.js";
import { Random } from "./random.js";
import { report } from "./report.js";
import { type Servers, startServers } from "./servers.js";
import { Traffic } from "./traffic.js";
import { Verdicts } from "./verdicts.js";
import { Watch } from "./watch.js";
import { Windows } from "./windows.js";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly perSecond: number;
}

const PROGRESS_EVERY_MS = 60_000;
const GONE_WITHIN_MS = 3000;

/** Runs the soak, and gives the exit code. */
export async function soak(options: SoakOptions): Promise<number> {
  console.log(`Soak of ${options.minutes} min, seed ${options.seed}. Ctrl-C ends it early, with a report.`);
  const servers = await startServers();
  const stopped = stopOnSignal();
  try {
    return await runOn(servers, options, stopped);
  } finally {
    await servers.stop();
  }
}

async function runOn(servers: Servers, options: SoakOptions, stopped: AbortSignal): Promise<number> {
  const began = Date.now();
  const problems = new Problems();
  const windows = new Windows();
  const decisions = new Decisions(servers.bridge.logPath);
  const watch = new Watch(servers, windows, problems);
  const latency = { bridge: new Latency(), twin: new Latency() };
  const outcomes: Outcome[] = [];
  for (const side of ["bridge", "twin"] as const) {
    void servers[side].exited.then((code) => {
      if (!finished) problems.add("Synapse ended", `${side}, exit code ${code}`);
    });
  }
  let finished = false;

  const { persons, saboteur } = await makePeople(servers);
  console.log(
    `Both servers are up with ${persons.length} users each after ${((Date.now() - began) / 1000).toFixed(0)} s.`,
  );
  watch.nodes.sample();
  const before = await idleDescriptors(servers, watch);
  const verdicts = new Verdicts(windows, decisions, problems, saboteur.client.userId);
  const tools = { windows, verdicts, problems, latency, perSecond: options.perSecond };
  const traffic = new Traffic(persons, { ...tools, random: new Random(options.seed) });
  await watch.start();
  traffic.start();
  const settling = repeat(1000, () => verdicts.settle());
  const started = Date.now();
  const progress = setInterval(() => {
    const minutes = ((Date.now() - started) / 60_000).toFixed(0);
    const total = [...problems.counts.values()].reduce((sum, count) => sum + count, 0);
    console.log(`  ${minutes} min: ${traffic.sent} requests, ${outcomes.length} faults, ${total} problems`);
  }, PROGRESS_EVERY_MS);

  const random = new Random(options.seed + 1);
  const faultTools = { random, servers, saboteur, windows, problems, node: () => watch.nodes.current() };
  await injectFaults(faultTools, options.minutes * 60_000, stopped, (outcome) => outcomes.push(outcome));
  clearInterval(progress);
  await traffic.stop();
  const seconds = (Date.now() - started) / 1000;
  await pause(4000); // until the log has every line, and all notifications are delivered
  await settling();
  await verdicts.settle();
  await watch.stop();
  const after: Idle = await idleDescriptors(servers, watch);
  await watch.readMetrics();
  judgeLeaks(watch, before, after, problems);
  finished = true;
  await decisions.close();
  const twinLog = new Decisions(servers.twin.logPath);
  await twinLog.read();
  await twinLog.close();
  await servers.stop();
  await pause(GONE_WITHIN_MS);
  for (const { pid } of watch.nodes.leftOver()) problems.add("orphan", `Node ${pid} outlived Synapse`);
  console.log(
    report({
      options,
      seconds,
      problems,
      outcomes,
      decisions,
      twinLog,
      verdicts,
      traffic,
      watch,
      latency,
      before,
      after,
    }),
  );
  return problems.counts.size === 0 ? 0 : 1;
}

/** The harness would end both Synapses at a signal; here the soak ends first, and then it ends them. */
function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.removeAllListeners(signal);
    void once(process, signal).then(() => {
      console.log(`\n${signal}: the soak ends.`);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Does something again and again; gives what stops it and waits for the last time. */
function repeat(everyMs: number, action: () => Promise<void>): () => Promise<void> {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(action);
  }, everyMs);
  return () => {
    clearInterval(timer);
    return running;
  };
}

/** The soak: two servers, steady traffic, attackers, faults at random on one side, and a report of what came of it. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Random } from "../../support/random.js";
import { Attackers } from "./attackers.js";
import type { Outcome } from "./faults.js";
import { judgeAttacks } from "./judge-attacks.js";
import { Killers, killers } from "./killers.js";
import { type Idle, idleDescriptors, judgeLeaks } from "./leaks.js";
import { makePeople, newcomer } from "./people.js";
import { injectFaults } from "./plan.js";
import { Problems } from "./problems.js";
import { report } from "./report.js";
import { Seen, tracebacksOf } from "./seen.js";
import { type Servers, startServers } from "./servers.js";
import { Traffic } from "./traffic.js";
import { Watch } from "./watch.js";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly perSecond: number;
}

const PROGRESS_EVERY_MS = 60_000;
const GONE_WITHIN_MS = 3000;
const SETTLE_MS = 30_000;

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
  const seen = new Seen(servers.bridge.logPath, problems);
  const { windows, verdicts } = seen;
  const watch = new Watch(servers, windows, problems);
  const outcomes: Outcome[] = [];
  for (const side of ["bridge", "twin"] as const) {
    void servers[side].exited.then((code) => {
      if (!finished) problems.add("Synapse ended", `${side}, exit code ${code}`);
    });
  }
  let finished = false;

  const people = await makePeople(servers);
  console.log(
    `Both servers are up with ${people.persons.length} users each after ${((Date.now() - began) / 1000).toFixed(0)} s.`,
  );
  watch.nodes.sample();
  const before = await idleDescriptors(servers, watch);
  const traffic = new Traffic(people.persons, {
    ...{ verdicts, problems, perSecond: options.perSecond, random: new Random(options.seed) },
  });
  const killing = new Killers(killers, people.killers, seen);
  const attackers = new Attackers(killing, people.writer, verdicts);
  await watch.start();
  traffic.start();
  attackers.start(options.minutes * 60_000);
  const settle = async () => {
    await seen.settle();
    killing.settle();
  };
  const settling = repeat(1000, settle);
  const started = Date.now();
  const progress = setInterval(() => {
    const minutes = ((Date.now() - started) / 60_000).toFixed(0);
    const total = [...problems.counts.values()].reduce((sum, count) => sum + count, 0);
    console.log(
      `  ${minutes} min: ${traffic.sent} requests, ${outcomes.length} faults, ${seen.deaths.all.length} ends of Node or a thread, ${total} problems`,
    );
  }, PROGRESS_EVERY_MS);

  const random = new Random(options.seed + 1);
  const { saboteur, prober } = people;
  const faultTools = { ...seen.forFaults, random, servers, saboteur, prober };
  await injectFaults(
    { ...faultTools, newcomer: () => newcomer(servers.bridge), node: () => watch.nodes.current() },
    options.minutes * 60_000,
    stopped,
    (outcome) => outcomes.push(outcome),
  );
  clearInterval(progress);
  await Promise.all([traffic.stop(), attackers.stop()]);
  const ended = Date.now();
  // Until the log has every line, and all notifications are delivered.
  while (verdicts.pending + killing.pending > 0 && Date.now() < ended + SETTLE_MS) await pause(500);
  await settling();
  await settle();
  await watch.stop();
  const after: Idle = await idleDescriptors(servers, watch);
  await watch.readMetrics();
  const attacked = { started, ended, seen, killers: killing };
  judgeAttacks(attacked, watch, problems);
  judgeLeaks(watch, before, after, problems);
  finished = true;
  await seen.close();
  const twinTracebacks = await tracebacksOf(servers.twin.logPath);
  await servers.stop();
  await pause(GONE_WITHIN_MS);
  for (const { pid } of watch.nodes.leftOver()) problems.add("orphan", `Node ${pid} outlived Synapse`);
  console.log(
    report({
      options,
      problems,
      outcomes,
      attacked,
      attackers,
      twinTracebacks,
      traffic,
      watch,
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

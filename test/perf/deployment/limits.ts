// What a RateLimiter costs: milliseconds for a call, and microseconds of Synapse's own thread, on SQLite and on PostgreSQL.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bridge, shim } from "../../support/bridge.js";
import { type Body, Client } from "../../support/client.js";
import { main, startDeployment } from "../../support/deployment.js";
import { startHomeserver } from "../../support/homeserver.js";
import { projectRoot } from "../../support/paths.js";

type Process = { readonly baseUrl: string; readonly pid: number };

const TIMES = 5_000;
// Linux counts the time of a thread in these.
const TICK_US = 10_000;

const CASES: readonly (readonly [title: string, asked: object])[] = [
  ["one after the other, each for a key of its own", { by: "consume", at_once: 1 }],
  ["32 at once, each for a key of its own", { by: "consume", at_once: 32 }],
  ["32 at once, all for one key", { by: "consume", at_once: 32, key: "one" }],
  [
    "1,000 in a second, all for one key that is refused",
    { by: "consume", at_once: 32, key: "refused", limit: 10, per_second: 1_000 },
  ],
  ["for comparison: `store.update`, one after the other", { by: "update", at_once: 1 }],
  ["for comparison: `store.get`, one after the other", { by: "get", at_once: 1 }],
];

const modules = () => [
  bridge({
    timeout: "5m",
    modules: [{ path: join(projectRoot, "test/perf/deployment/counting.ts"), grants: ["store"] }],
  }),
];

export async function measureLimits(): Promise<string> {
  const rows = [row("", "ms (median)", "ms (99 %)", "in a second", "µs of Synapse's thread")];
  rows.push("| --- | --- | --- | --- | --- |");
  const server = await startHomeserver({ modules: modules(), pythonPath: [shim] });
  try {
    for (const [title, asked] of CASES) rows.push(await measure(server, `SQLite: ${title}`, asked));
  } finally {
    await server.stop();
  }
  const deployment = await startDeployment({ modules: modules(), workers: ["worker1"], pythonPath: [shim] });
  try {
    const [here, there] = [deployment.process(main), deployment.process("worker1")];
    for (const [title, asked] of CASES) rows.push(await measure(here, `PostgreSQL: ${title}`, asked));
    const asked = { by: "consume", at_once: 32, key: "shared", limit: TIMES };
    const other = ask(there, asked);
    rows.push(
      await measure(
        here,
        "PostgreSQL: two processes, 32 at once each, all for one key, half of them refused",
        asked,
      ),
    );
    await other;
  } finally {
    await deployment.stop();
  }
  return rows.join("\n");
}

async function ask({ baseUrl }: Process, asked: object): Promise<Body> {
  const body = { times: TIMES, limit: 1_000_000, ...asked };
  const answer = await new Client(baseUrl).post("/_synapse/client/counting", body);
  if (answer.status !== 200) throw new Error(`counting: ${answer.status} ${answer.text}`);
  return answer.body;
}

async function measure(process: Process, title: string, asked: object): Promise<string> {
  await ask(process, { ...asked, times: 200, limit: 1_000_000, key: "warm" });
  const before = threadTicks(process.pid);
  const { ms, p50, p99 } = await ask(process, asked);
  const us = ((threadTicks(process.pid) - before) * TICK_US) / TIMES;
  return row(title, p50.toFixed(2), p99.toFixed(2), String(Math.round(TIMES / (ms / 1e3))), us.toFixed(0));
}

/** What the main thread of a process has used, in clock ticks. */
function threadTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

const row = (...cells: string[]) => `| ${cells.join(" | ")} |`;

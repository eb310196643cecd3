// `npm run bench:deployment [-- --rounds N] [-- --save]`: what the bridge adds to a deployment of main and six workers, and what
// a RateLimiter costs. With --save, docs/internals/benchmark-deployment.md tells of this run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "../test/perf/bench/options.js";
import { circumstances } from "../test/perf/bench/report.js";
import { median } from "../test/perf/bench/rounds.js";
import { measureLimits } from "../test/perf/deployment/limits.js";
import { measureProcesses } from "../test/perf/deployment/processes.js";
import { projectRoot } from "../test/support/paths.js";

const { rounds, save } = readOptions("bench:deployment", 3);

const without = await measureProcesses(false, rounds);
const taken = await measureProcesses(true, rounds);
const cell = (figure: number) => (Number.isNaN(figure) ? "" : figure.toFixed(figure < 100 ? 1 : 0));
const rows = [...taken.keys()].map(
  (what) => `| ${what} | ${cell(median(without.get(what)))} | ${cell(median(taken.get(what)))} |`,
);
const processes = ["| | without the bridge | with it |", "| --- | --- | --- |", ...rows].join("\n");
const limits = await measureLimits();
const text = `# A run of the benchmark of a deployment

<!-- Written by \`npm run bench:deployment -- --save\`. -->

${circumstances(rounds)}, on PostgreSQL and Redis.

## Main and six workers

Three of the ready policies (new-account-limits, media-rules, rooms-by-admins) run in all processes. Memory is the proportional set
size after 50 messages through each process.

${processes}

## A RateLimiter

5,000 calls of \`consume\` in one process. The database is on the same machine, and does not wait for its disk.

${limits}
`;
console.log(text);
if (save) writeFileSync(join(projectRoot, "docs/internals/benchmark-deployment.md"), text);

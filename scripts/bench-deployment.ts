// `npm run bench:deployment [-- --rounds N] [-- --save]`: what the bridge adds to a deployment of main and six workers, and what
// a RateLimiter costs. With --save, docs/internals/benchmark-deployment.md tells of this run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { circumstances } from "../test/perf/bench/report.js";
import { measureLimits } from "../test/perf/deployment/limits.js";
import { measureProcesses } from "../test/perf/deployment/processes.js";
import { projectRoot } from "../test/support/paths.js";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, save: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error("Use: npm run bench:deployment -- --rounds N [--save]");
  process.exit(2);
}

const median = (figures: readonly number[] = []) => figures.toSorted((a, b) => a - b)[figures.length >> 1];
const without = await measureProcesses(false, rounds);
const taken = await measureProcesses(true, rounds);
const cell = (figure: number | undefined) => figure?.toFixed(figure < 100 ? 1 : 0) ?? "";
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
if (values.save) writeFileSync(join(projectRoot, "docs/internals/benchmark-deployment.md"), text);

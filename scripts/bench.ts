// `npm run bench [-- --rounds N] [-- --save]`: what callbacks, a remote join and a start of Synapse cost without
// a module, in Python, over HTTP and through the bridge, and how long a restart of Node takes. With --save,
// docs/internals/benchmark.md and docs/internals/benchmark.svg tell of this run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "../test/perf/bench/chart.js";
import { judge } from "../test/perf/bench/goals.js";
import { measureJoins } from "../test/perf/bench/join.js";
import { memory } from "../test/perf/bench/measure.js";
import { readOptions } from "../test/perf/bench/options.js";
import { circumstances, page } from "../test/perf/bench/report.js";
import { type Figures, runRounds } from "../test/perf/bench/rounds.js";
import { measureStarts } from "../test/perf/bench/start.js";
import { goalsTable, LABELS, table } from "../test/perf/bench/table.js";
import { startVariants } from "../test/perf/bench/variants.js";
import { projectRoot } from "../test/support/paths.js";

// A join takes seconds and varies much; the room takes minutes, once.
const JOINS_A_ROUND = 2;

const { rounds, save } = readOptions("bench", 5);
const figures = new Map<string, readonly number[]>();
let used = "";
const parts = {
  Calls: measureCalls,
  "Remote joins": () => measureJoins(rounds * JOINS_A_ROUND),
  "Starts and restarts": () => measureStarts(rounds),
};
for (const [title, measure] of Object.entries(parts)) {
  console.log(title);
  try {
    const taken = await measure();
    for (const [key, values] of taken) figures.set(key, values);
    console.log(`${table(taken)}\n`);
  } catch (error) {
    // What the others measure is not lost.
    console.error(`${title} could not be measured:`, error);
    process.exitCode = 1;
  }
}
const tables = {
  Figures: table(figures),
  "Memory after all calls, MB": used,
  Goals: goalsTable(judge(figures)),
};
for (const title of ["Memory after all calls, MB", "Goals"] as const)
  console.log(`${title}\n${tables[title]}\n`);
if (save && process.exitCode === undefined) {
  const when = circumstances(rounds);
  writeFileSync(join(projectRoot, "docs/internals/benchmark.md"), page(when, tables));
  writeFileSync(join(projectRoot, "docs/internals/benchmark.svg"), chart(figures, when));
}

async function measureCalls(): Promise<Figures> {
  const variants = await startVariants();
  try {
    const taken: Figures = await runRounds(variants, rounds);
    const lines = variants.all.map(({ name, server }) => {
      const { synapse, node } = memory(server);
      const beside = node === undefined ? "" : `, Node ${node.toFixed(0)}`;
      return `${LABELS[name].padEnd(24)}Synapse ${synapse.toFixed(0)}${beside}`;
    });
    used = lines.join("\n");
    return taken;
  } finally {
    await variants.stop();
  }
}

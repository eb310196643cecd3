// `npm run bench [-- --rounds N] [-- --save]`: what a callback costs without a module, in Python, over HTTP and through
// the bridge. With --save, docs/internals/benchmark.md and docs/internals/benchmark.svg tell of this run.
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

const { rounds, save } = readOptions("bench", 5);
const { figures, used } = await measureCalls();
console.log("Remote joins");
for (const [key, taken] of await measureJoins(Math.min(rounds, 5))) figures.set(key, taken);
console.log("Starts");
for (const [key, taken] of await measureStarts(Math.min(rounds, 5))) figures.set(key, taken);
const tables = {
  Figures: table(figures),
  "Memory after all calls, MB": used,
  Goals: goalsTable(judge(figures)),
};
for (const [title, text] of Object.entries(tables)) console.log(`\n${title}\n${text}`);
if (save) {
  const when = circumstances(rounds);
  writeFileSync(join(projectRoot, "docs/internals/benchmark.md"), page(when, tables));
  writeFileSync(join(projectRoot, "docs/internals/benchmark.svg"), chart(figures, when));
}

async function measureCalls(): Promise<{ figures: Map<string, readonly number[]>; used: string }> {
  const variants = await startVariants();
  try {
    const taken: Figures = await runRounds(variants, rounds);
    const lines = variants.all.map(({ name, server }) => {
      const { synapse, node } = memory(server);
      const beside = node === undefined ? "" : `, Node ${node.toFixed(0)}`;
      return `${LABELS[name].padEnd(24)}Synapse ${synapse.toFixed(0)}${beside}`;
    });
    return { figures: new Map(taken), used: lines.join("\n") };
  } finally {
    await variants.stop();
  }
}

// `npm run bench [-- --rounds N]`: what a callback costs without a module, in Python, over HTTP and through the bridge.
import { parseArgs } from "node:util";
import { judge } from "../test/bench/goals.js";
import { memory } from "../test/bench/measure.js";
import { runRounds } from "../test/bench/rounds.js";
import { startSides } from "../test/bench/sides.js";
import { goalsTable, LABELS, table } from "../test/bench/table.js";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error("Use: npm run bench -- --rounds N");
  process.exit(2);
}
const sides = await startSides();
try {
  const figures = await runRounds(sides, rounds);
  console.log(`\n${table(figures)}\n\nMemory, MB`);
  for (const side of sides.all) {
    const { synapse, node } = memory(side);
    const beside = node === undefined ? "" : `, Node ${node.toFixed(0)}`;
    console.log(`  ${LABELS[side.name].padEnd(24)}Synapse ${synapse.toFixed(0)}${beside}`);
  }
  console.log(`\n${goalsTable(judge(figures))}`);
} finally {
  await sides.stop();
}

// `npm run soak -- --minutes N [--seed S] [--rate R]`: boots Synapse with the bridge and breaks it for some minutes, by faults and
// by attackers among its users, comparing every answer with that of a Synapse whose policy is in Python. Exit code 1 when anything
// is amiss.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { soak } from "../test/perf/soak/soak.js";
import { projectRoot } from "../test/support/paths.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rate: { type: "string", default: "20" },
  },
});
const [minutes, seed, perSecond] = [values.minutes, values.seed, values.rate].map(Number) as [
  number,
  number,
  number,
];
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !(perSecond > 0)) {
  console.error("Use: npm run soak -- --minutes N [--seed WHOLE NUMBER] [--rate OPERATIONS PER SECOND]");
  process.exit(2);
}
execFileSync(process.execPath, [join(projectRoot, "scripts", "build.mjs")], { stdio: "inherit" });
process.exit(await soak({ minutes, seed, perSecond }));

// `npm run test:matrix`: the comparison with modules in Python on each Synapse that people still run, by one wheel, with the
// Pythons of this machine and all lines of Node. `-- --synapse 1.135.2` runs one; --python, --node, --asyncio and --few say
// how. `-- --save` keeps the results for docs/reference/versions.md.
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    synapse: { type: "string" },
    python: { type: "string" },
    node: { type: "string" },
    asyncio: { type: "boolean" },
    few: { type: "boolean" },
    save: { type: "boolean" },
    "no-setup": { type: "boolean" },
  },
});
const odd = values.synapse?.split(",").filter((version) => !/^\d+\.\d+\.\d+(rc\d+)?$/.test(version)) ?? [];
if (odd.length > 0) {
  console.error(
    `--synapse ${values.synapse}: "${odd[0]}" is no version. Write versions such as 1.135.2,1.150.0.`,
  );
  process.exit(2);
}
if (!values["no-setup"]) await setup();

// Only now: what these need may just have been installed, and built.
const { chosenPlan, wholePlan } = await import("./matrix/plan.mjs");
const { matrixSteps } = await import("./matrix/steps.mjs");
const { resultsOf, save, tableOf } = await import("./matrix/results.mjs");
const { runSteps } = await import("./report.mjs");

const { save: saves, few, "no-setup": _, ...chosen } = values;
const isWhole = Object.keys(chosen).length === 0 && !few;
const parts = isWhole ? wholePlan() : chosenPlan({ ...chosen, rows: few ? "few" : "all" });
console.log(`Installing what ${parts.length} parts need`);
const steps = await matrixSteps(parts);
console.log("Comparing");
const summary = (finished) => {
  // What could not be installed was not measured.
  if (saves) save(resultsOf(finished.filter(({ step }) => !step.problem)));
  return tableOf(resultsOf(finished));
};
process.exitCode = (await runSteps(steps, { summary })) ? 0 : 1;

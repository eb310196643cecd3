// `npm test`: sets up, then runs every check and every test, and goes on after a failure so that all are told.
// `npm test -- --only unit,lint` runs some groups; `--no-setup` leaves the set-up out.
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: { only: { type: "string" }, "no-setup": { type: "boolean", default: false } },
});

if (!values["no-setup"]) await setup();

// Only now: what these need may just have been installed.
const { allSteps, matrixCheck } = await import("./steps.mjs");
const { freshNotes } = await import("./fault-matrix.mjs");
const { runSteps } = await import("./report.mjs");
const only = values.only?.split(",");
const steps = allSteps();
const groups = [...new Set(steps.flatMap((step) => step.groups))];
const unknown = only?.filter((name) => !groups.includes(name)) ?? [];
if (unknown.length > 0) {
  console.error(`--only ${unknown.join(",")}: there is no such group. The groups are ${groups.join(", ")}.`);
  process.exit(2);
}
console.log("Testing");
const wanted = only
  ? steps.filter((step) => step.groups.some((group) => only.includes(group)))
  : [...steps, matrixCheck(freshNotes())];
// Three on two processors: the tests with a fake host wait most of the time.
process.exitCode = (await runSteps(wanted, { lanes: 3 })) ? 0 : 1;

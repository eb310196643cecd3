// `npm run faults`: runs the tests that note what they have seen of a row of test/support/faults.json, and prints the matrix.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freshNotes, matrixFile } from "./fault-matrix.mjs";
import { root } from "./inputs.mjs";
import { setup } from "./setup.mjs";

await setup();
const { jest, matrixCheck, pytest } = await import("./steps.mjs");
const { runSteps } = await import("./report.mjs");

const notes = freshNotes();
const tests = readdirSync(join(root, "test"), { recursive: true })
  .map((path) => join("test", path))
  .filter((path) => /\.test\.ts$|test_\w+\.py$/.test(path))
  .filter((path) => !path.startsWith("test/packages/"))
  .filter((path) => readFileSync(join(root, path), "utf8").includes("observed("))
  .sort();
const python = tests.filter((path) => path.endsWith(".py"));
const typescript = tests.filter((path) => path.endsWith(".ts"));
const bootsSynapse = (path) => path.startsWith("test/synapse/");

console.log("Testing");
const fine = await runSteps([
  pytest("on a fake host", [], python),
  jest(
    "on the real host",
    [],
    typescript.filter((path) => !bootsSynapse(path)),
  ),
  {
    ...jest("on a real Synapse", [], typescript.filter(bootsSynapse), ["--maxWorkers=2"]),
    alone: true,
  },
  matrixCheck(notes),
]);
console.log(`\n${readFileSync(matrixFile, "utf8")}`);
process.exitCode = fine ? 0 : 1;

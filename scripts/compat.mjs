// `npm run test:compat`: the slow compatibility tests. The wheel in a clean environment, two older Synapses, newer Nodes,
// and a Synapse with workers, on PostgreSQL and Redis, one with tracing, one that Prometheus watches, and the admin's page.
// Each newer Node has one part of the tests, and with --all it has both.
import { delimiter, dirname } from "node:path";
import { parseArgs } from "node:util";
import { installNode, nodes } from "./nodes.mjs";
import { StepFailed } from "./run.mjs";
import { setup } from "./setup.mjs";

// What each Node runs beside the one that runs this. Under the newest, only the tests of the authors' kit run.
const parts = { 22: "synapse", 24: "unit" };

const { all } = parseArgs({ options: { all: { type: "boolean" } } }).values;
await setup();
const { testFiles, jest, unitTests } = await import("./steps.mjs");
const { chosenPlan, SOME } = await import("./matrix/plan.mjs");
const { matrixSteps } = await import("./matrix/steps.mjs");
const { runSteps } = await import("./report.mjs");

let installed = [];
let olderSynapses = [];
try {
  olderSynapses = await matrixSteps(chosenPlan({ synapse: SOME.join(","), rows: "few" }));
  installed = await Promise.all(
    nodes.map(async (node) => ({ line: node.line, path: await installNode(node), part: parts[node.line] })),
  );
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(`${error.message}\n\n0 passed, 1 failed`);
  process.exit(1);
}

console.log("Testing compatibility");
const nodesFor = (part) => installed.filter((node) => (all && node.part) || node.part === part);
const steps = [
  ...nodesFor("unit").map(({ line, path }) => ({
    // Pages, types and declarations are the same under any Node.
    ...unitTests(["test/unit"]),
    name: `unit tests, Node ${line}`,
    command: path,
  })),
  jest("packages", [], testFiles(["test/packages"]), ["--maxWorkers=2"]),
  ...olderSynapses,
  { ...jest("the admin's page in Chromium", [], testFiles(["test/synapse/page"])), alone: true },
  // A deployment has several processes, each with a Node: one at a time.
  {
    ...jest(
      "workers, tracing, monitoring",
      [],
      testFiles(["test/synapse/workers", "test/synapse/tracing", "test/synapse/monitoring"]),
      ["--runInBand"],
    ),
    alone: true,
  },
  ...nodesFor("synapse").map(({ line, path }) => ({
    // What depends on Node: the comparison with Python, and that of each policy with it, are made once, by npm test.
    ...jest(
      `on Synapse, Node ${line}`,
      [],
      testFiles(["test/synapse/faults", "test/synapse/features"]).filter(
        (path) => path !== "test/synapse/faults/policies.test.ts",
      ),
      ["--maxWorkers=2"],
    ),
    command: path,
    env: { PATH: `${dirname(path)}${delimiter}${process.env.PATH}` },
    alone: true,
  })),
];
process.exitCode = (await runSteps(steps)) ? 0 : 1;

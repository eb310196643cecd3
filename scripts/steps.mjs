// What `npm test` consists of: the checks, which count as one test each, and the test runners, whose tests are counted.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.mjs";

const node = process.execPath;
const bin = (path) => join(root, "node_modules", path);
const venvBin = (name) => join(root, ".venv/bin", name);
const config = "python-shim/pyproject.toml";
const pythonSources = ["python-shim/synapse_module_bridge", "python-shim/hatch_build.py", "test"];

// Folders of test/ whose tests boot a Synapse, and those whose tests install much: for `npm run test:compat`.
const bootingSynapse = ["differential", "faults", "homeserver", "ports", "synapse"];
const installing = ["compat", "tracing", "workers"];
const folders = readdirSync(join(root, "test"), { withFileTypes: true });
const testFolders = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);

/** Runs the TypeScript tests of some folders of test/. */
export function jest(name, groups, paths, options = []) {
  const args = [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    bin("jest/bin/jest.js"),
  ];
  return {
    name,
    groups,
    kind: "jest",
    command: node,
    args: [...args, "--forceExit", ...options, "--runTestsByPath", ...paths],
  };
}

/** All test files below some folders of test/. */
export function testFiles(wanted) {
  return wanted.flatMap((folder) =>
    readdirSync(join(root, "test", folder), { recursive: true })
      .filter((path) => path.endsWith(".test.ts"))
      .map((path) => join("test", folder, path)),
  );
}

/** The folders of test/ whose tests boot a Synapse. */
export const onSynapse = () => testFolders.filter((name) => bootingSynapse.includes(name));

/** The TypeScript tests that need no Synapse. */
export function unitTests() {
  const elsewhere = [...installing, ...bootingSynapse];
  const paths = testFiles(testFolders.filter((name) => !elsewhere.includes(name)));
  const top = folders.filter(({ name }) => name.endsWith(".test.ts")).map(({ name }) => `test/${name}`);
  return jest("unit tests", ["unit"], [...paths, ...top], ["--maxWorkers=50%"]);
}

/** Those about what modules can do, once more with each module in a thread of its own. */
const inThreads = () =>
  jest(
    "unit tests, in threads",
    ["unit", "threads"],
    ["host", "dispatch", "web", "follow-ups", "api", "state", "storage", "answers", "handler"]
      .concat("information", "origin", "secrets", "odd-values")
      .map((name) => `test/host/${name}.test.ts`),
    ["--maxWorkers=50%", "--globals", '{"MODULES_IN_THREADS":true}'],
  );

const check = (name, groups, command, args) => ({ name, groups, kind: "check", command, args });

export const pytest = (name, groups, paths) => ({
  ...{ name, groups, kind: "pytest", command: venvBin("pytest") },
  args: ["-q", "-c", config, "--rootdir", root, ...paths],
});

/** That each row of the table of faults was tried by the tests before it, or says why not. */
export const matrixCheck = (notes) => ({
  ...check("the fault matrix", ["matrix"], node, ["scripts/fault-matrix.mjs", notes]),
  alone: true,
});

export function allSteps() {
  return [
    check("lint, TypeScript", ["lint"], node, [
      bin("@biomejs/biome/bin/biome"),
      "check",
      "--error-on-warnings",
    ]),
    check("lint, Python", ["lint"], venvBin("ruff"), ["check", "--config", config, ...pythonSources]),
    check("format, Python", ["lint"], venvBin("ruff"), [
      "format",
      "--check",
      "--config",
      config,
      ...pythonSources,
    ]),
    check("layers, Python", ["lint"], venvBin("lint-imports"), [config, "--no-cache"]),
    check("types, TypeScript", ["types"], node, [bin("typescript/bin/tsc"), "--noEmit", "--pretty", "false"]),
    check("types, Python", ["types"], venvBin("mypy"), ["--config-file", config, ...pythonSources]),
    check("generated files", ["generated"], node, [
      bin("jiti/lib/jiti-cli.mjs"),
      "scripts/generate/generate.ts",
      "--check",
    ]),
    pytest("Python tests", ["python"], ["test/python"]),
    unitTests(),
    inThreads(),
    // It ends with 1 when a client gets another status than it should.
    { ...check("the demo", ["demo"], node, ["scripts/demo.mjs"]), alone: true },
    {
      ...jest("tests on a real Synapse", ["synapse"], testFiles(onSynapse()), ["--maxWorkers=2"]),
      alone: true, // each test file boots its own Synapse; beside other steps they would time out
    },
  ];
}

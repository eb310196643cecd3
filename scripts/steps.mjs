// What `npm test` consists of: the checks, which count as one test each, and the test runners, whose tests are counted.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.mjs";

const node = process.execPath;
const bin = (path) => join(root, "node_modules", path);
const venvBin = (name) => join(root, ".venv/bin", name);
const config = "python-shim/pyproject.toml";
const pythonSources = [
  "python-shim/synapse_module_bridge",
  "python-shim/hatch_build.py",
  "bridge/testing/synapse",
  "scripts/drift",
  "test",
];

// What `npm run test:compat` runs instead, since it installs much.
const installing = [
  ...["test/packages", "test/synapse/monitoring", "test/synapse/page"],
  ...["test/synapse/tracing", "test/synapse/versions", "test/synapse/workers"],
];

/** All TypeScript tests below some folders, less those below others. */
export function testFiles(folders, without = []) {
  const isIn = (path, some) => some.some((folder) => path.startsWith(`${folder}/`));
  return readdirSync(join(root, "test"), { recursive: true })
    .map((path) => join("test", path))
    .filter((path) => path.endsWith(".test.ts") && isIn(path, folders) && !isIn(path, without));
}

/** Runs some TypeScript tests. */
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
    args: [...args, "--forceExit", ...options],
    paths,
  };
}

/** The TypeScript tests that need no Synapse, below some folders. Most of them wait for processes and deadlines. */
export const unitTests = (folders = ["test"]) =>
  jest("unit tests", ["unit"], testFiles(folders, ["test/synapse", ...installing]), ["--maxWorkers=2"]);

/** Those about what modules can do, once more with each module in a thread of its own. */
const inThreads = () =>
  jest(
    "unit tests, in threads",
    ["unit", "threads"],
    [
      ...["calls/answer", "calls/dispatch", "calls/follow-ups", "calls/handler", "calls/information"],
      ...["calls/odd-values", "calls/state", "host/host", "module-api/api", "module-api/origin"],
      ...["module-api/storage", "transport/redaction", "web/web"],
    ].map((name) => `test/unit/bridge/${name}.test.ts`),
    ["--maxWorkers=50%", "--globals", '{"MODULES_IN_THREADS":true}'],
  );

const check = (name, groups, command, args) => ({ name, groups, kind: "check", command, args });

export const pytest = (name, groups, paths) => ({
  ...{ name, groups, kind: "pytest", command: venvBin("pytest") },
  args: ["-q", "-c", config, "--rootdir", root],
  paths,
});

/** That each row of the table of faults was tried by the tests before it, or says why not. */
export const matrixCheck = (notes) => ({
  ...check("the fault matrix", ["matrix"], node, ["scripts/fault-matrix.mjs", notes]),
  alone: true,
});

export function allSteps() {
  return [
    // The longest first.
    unitTests(),
    pytest("Python tests", ["python"], ["test/unit/shim", "test/docs", "test/packages"]),
    pytest("Python tests, fake host", ["python"], ["test/fake_host"]),
    inThreads(),
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
    check("types, the admin's page", ["types"], node, [
      bin("typescript/bin/tsc"),
      ...["-p", "bridge/admin-page", "--pretty", "false"],
    ]),
    check("types, Python", ["types"], venvBin("mypy"), ["--config-file", config, ...pythonSources]),
    check("generated files", ["generated"], node, [
      bin("jiti/lib/jiti-cli.mjs"),
      "scripts/generate/generate.ts",
      "--check",
    ]),
    // It ends with 1 when a client gets another status than it should.
    { ...check("the demo", ["demo"], node, ["scripts/demo.mjs"]), alone: true },
    {
      ...jest("tests on a real Synapse", ["synapse"], testFiles(["test/synapse"], installing), [
        "--maxWorkers=2",
      ]),
      alone: true, // each test file boots its own Synapse; beside other steps they would time out
    },
  ];
}

// Makes the mutants of one file in a copy of the tree, and runs the file's tests against each: Python's with
// test/mutation/run_mutants.py, TypeScript's with Stryker.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createJiti } from "jiti";
import { root } from "./inputs.mjs";
import { run } from "./run.mjs";

// The host as the shim starts it, and the compiler that tests in TypeScript load modules with.
const built = ["python-shim/synapse_module_bridge/_host", "dist"];

/** What git knows or would take, and what is built: the checkout itself is never changed, and may change meanwhile. */
export function copyTree() {
  const folder = mkdtempSync(join(tmpdir(), "mutants-"));
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  for (const path of [...listed.toString().split("\0").filter(Boolean), ...built]) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** One `{ line, was, becomes, outcome }` for each mutant, in the order of the file. */
export async function mutate(folder, file, tests, jobs) {
  const mutants = await (file.endsWith(".py") ? mutatePython : mutateTypeScript)(folder, file, tests, jobs);
  return mutants.sort((one, other) => one.line - other.line);
}

async function mutatePython(folder, source, tests, jobs) {
  const job = JSON.stringify({
    source,
    module: source.slice("python-shim/".length, -".py".length).replaceAll("/", "."),
    tests,
  });
  const runner = join(folder, "test/mutation/run_mutants.py");
  const shim = join(folder, "python-shim");
  const onPostgres = tests.some((path) => path.startsWith("test/synapse/workers/postgres/"));
  const env = onPostgres ? await postgresEnvironment(shim) : { ...process.env, PYTHONPATH: shim };
  const shares = onPostgres ? 1 : jobs; // they would meet in the database
  const told = Array.from({ length: shares }, (_, share) =>
    run(basename(source), join(root, ".venv/bin/python"), [runner, String(share), String(shares), job], {
      cwd: folder,
      env,
    }),
  );
  return (await Promise.all(told)).flatMap((lines) =>
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}

let postgres;

/** One PostgreSQL serves all; it ends with this process. */
async function postgresEnvironment(shim) {
  const { import: load } = createJiti(import.meta.url);
  const { environmentFor, startPostgres } = await load("../test/support/postgres.ts");
  const { installPackages } = await load("../test/support/packages.ts");
  const { harnessFile } = await load("../test/support/paths.ts");
  const packages = await installPackages(harnessFile("deployment.txt"));
  postgres ??= await startPostgres(packages);
  return environmentFor(postgres, packages, [shim]);
}

/** Ends what was started for the mutants. */
export async function stop() {
  await postgres?.stop();
}

const outcomes = { Survived: "survived", NoCoverage: "survived", Timeout: "timeout" };

async function mutateTypeScript(folder, file, tests, jobs) {
  const settings = {
    testRunner: "jest",
    plugins: ["@stryker-mutator/jest-runner"],
    testRunnerNodeArgs: ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"],
    jest: {
      configFile: "jest.config.mjs",
      enableFindRelatedTests: false,
      config: { testMatch: tests.map((path) => `<rootDir>/${path}`) },
    },
    coverageAnalysis: "perTest",
    timeoutMS: 20_000, // where others work too
    timeoutFactor: 4,
    mutate: [file],
    inPlace: true, // the folder is a copy already
    concurrency: jobs,
    reporters: ["json"],
    jsonReporter: { fileName: "mutation.json" },
    allowEmpty: false,
  };
  writeFileSync(join(folder, "stryker.json"), JSON.stringify(settings));
  const source = readFileSync(join(folder, file), "utf8");
  const stryker = join(root, "node_modules/@stryker-mutator/core/bin/stryker.js");
  await run(basename(file), process.execPath, [stryker, "run", "stryker.json"], { cwd: folder });
  const report = JSON.parse(readFileSync(join(folder, "mutation.json"), "utf8"));
  return Object.values(report.files).flatMap(({ mutants }) =>
    mutants.map(({ location, replacement, status }) => ({
      ...difference(source, location, replacement),
      outcome: outcomes[status] ?? "killed",
    })),
  );
}

/** The lines that a change takes away, and those that it puts in their place. */
function difference(source, { start, end }, replacement) {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const before = lines[0].slice(0, start.column - 1);
  const after = lines.at(-1).slice(end.column - 1);
  const joined = (text) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .join(" ");
  return { line: start.line, was: joined(lines.join("\n")), becomes: joined(before + replacement + after) };
}

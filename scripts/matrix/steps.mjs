// Makes a step of the test runner of each part of the matrix, and reads from it how many rows were equal, intended and absent.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../inputs.mjs";
import { jest, testFiles } from "../steps.mjs";
import { installWheel, prepare } from "./installed.mjs";

const cache = join(root, "node_modules/.cache/synapse-module-bridge/matrix");

export const titleOf = ({ synapse, python, node, asyncio }) =>
  `Synapse ${synapse}, Python ${python}, Node ${node}${asyncio ? ", asyncio" : ""}`;

/** What runs on each: the comparison with Python, what is told at the start, and odd bodies of requests. */
const files = () => [
  ...testFiles(["test/synapse/differential", "test/synapse/versions"]),
  "test/synapse/features/odd-bodies.test.ts",
];

/** Installs what each part needs. A part that cannot be installed becomes a step that fails, and says why. */
export async function matrixSteps(parts) {
  mkdirSync(cache, { recursive: true });
  const shim = await installWheel();
  const steps = [];
  for (const part of parts) steps.push(await stepOf(part, shim));
  return steps;
}

async function stepOf(part, shim) {
  const name = titleOf(part);
  const file = join(cache, name.replaceAll(/\W+/g, "-"));
  const step = {
    ...jest(name, ["matrix"], files(), ["--maxWorkers=2"]),
    ...{ alone: true, part, log: `${file}.log`, sums: () => sumsIn(`${file}.rows`) },
    detail: (counts) => worded({ ...sumsIn(`${file}.rows`), failed: counts.failed }),
  };
  rmSync(`${file}.rows`, { force: true });
  try {
    const { command, env } = await prepare(part, shim);
    const rows = part.rows === "few" ? { DIFFERENTIAL_ROWS: "few" } : {};
    return { ...step, command, env: { ...env, ...rows, ROWS_FILE: `${file}.rows` } };
  } catch (error) {
    return { ...step, problem: error.message };
  }
}

const worded = ({ equal, intended, absent, failed }) =>
  `rows: ${equal} equal, ${intended} intended, ${absent} absent; ${failed} failed`;

/** The sums of all tables: the last of each, since a file that failed runs a second time. */
function sumsIn(file) {
  const sums = { equal: 0, intended: 0, absent: 0 };
  const last = new Map();
  try {
    for (const line of readFileSync(file, "utf8").trim().split("\n")) {
      const { name, ...counts } = JSON.parse(line);
      last.set(name, counts);
    }
  } catch {
    return sums; // no test got that far
  }
  for (const counts of last.values()) for (const key of Object.keys(sums)) sums[key] += counts[key];
  return sums;
}

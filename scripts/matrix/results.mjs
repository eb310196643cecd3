// Shows the results of the matrix as a table, and keeps them in the file that docs/reference/versions.md is generated from.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../inputs.mjs";
import { titleOf } from "./steps.mjs";

const file = join(root, "test/synapse/versions/measured.json");

export function resultsOf(finished) {
  return finished.map(({ step, counts }) => ({ ...step.part, ...step.sums(), failed: counts.failed }));
}

export function tableOf(results) {
  const rows = results.map((result) => [
    ...[result.synapse, result.python, result.node + (result.asyncio ? ", asyncio" : "")],
    ...[result.equal, result.intended, result.absent, result.failed],
  ]);
  const all = [["Synapse", "Python", "Node", "equal", "intended", "absent", "failed"], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => String(row[column]).length)));
  const padded = (cell, column) =>
    column < 3 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]);
  return all.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}

/** Keeps these results, and those of other parts that were kept before. */
export function save(results) {
  const known = new Map(JSON.parse(readFileSync(file, "utf8")).map((result) => [keyOf(result), result]));
  for (const result of results) known.set(keyOf(result), result);
  const kept = [...known.values()].sort((a, b) => keyOf(a).localeCompare(keyOf(b), "en", { numeric: true }));
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
  console.log("saved; `npm run generate` writes the page");
}

const keyOf = (result) => `${titleOf(result)}, ${result.rows}`;

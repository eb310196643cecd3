// Makes the fault matrix of what the tests have noted. `node scripts/fault-matrix.mjs NOTES` writes it to
// fault-matrix.txt, and fails when a row of test/support/faults.json has neither a test nor a reason why it has none.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./inputs.mjs";

export const matrixFile = join(root, "fault-matrix.txt");
const rows = JSON.parse(readFileSync(join(root, "test/support/faults.json"), "utf8"));

/** Where the tests that are about to run leave their notes: an empty place, told to them by the environment. */
export function freshNotes() {
  const file = join(root, "fault-matrix.jsonl");
  rmSync(file, { force: true });
  process.env.FAULT_MATRIX = file;
  return file;
}

function readNotes(file) {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  return lines.map((line) => JSON.parse(line));
}

/** The rows that nobody has tried and nobody has explained, and those whose explanation is no longer true. */
function problems(notes) {
  const tried = new Set(notes.map(({ row }) => String(row)));
  return [
    ...Object.keys(rows).flatMap((row) => {
      if (!tried.has(row) && !rows[row].untested)
        return [`row ${row} has neither a test nor a reason why not`];
      if (tried.has(row) && rows[row].untested)
        return [`row ${row} has a test, and a reason why it has none`];
      return [];
    }),
    ...[...tried].filter((row) => !(row in rows)).map((row) => `faults.json has no row ${row}`),
  ];
}

/** As text, grouped by row: one line for each thing tried under one policy. */
function render(notes) {
  const covered = Object.keys(rows).filter((row) => notes.some((note) => String(note.row) === row));
  const sections = Object.entries(rows).map(([row, { fault, untested, partly }]) => {
    const own = notes.filter((note) => String(note.row) === row);
    const lines = [...new Set(own.map(line))].sort();
    if (untested && own.length === 0) lines.push(`  not tested: ${untested}`);
    if (partly) lines.push(`  in part: ${partly}`);
    const pauses = own.flatMap(({ pauseMs }) => pauseMs ?? []);
    if (pauses.length > 0) lines.push(`  longest pause of the reactor: ${Math.max(...pauses).toFixed(0)} ms`);
    return [`${row}. ${fault}`, ...lines].join("\n");
  });
  const total = `${notes.length} observations of ${covered.length} of ${Object.keys(rows).length} rows`;
  return [...sections, total, ""].join("\n\n");
}

function line({ on, tried, policy, outcome, pauseMs, memory }) {
  const measured = [
    ...(pauseMs === undefined ? [] : [`reactor paused ${pauseMs.toFixed(0)} ms`]),
    ...(memory ? [`memory ${memory.map((mib) => mib.toFixed(0)).join(" > ")} MiB`] : []),
  ];
  const seen = [outcome, ...measured].join("; ");
  return `  ${on} | ${tried} | ${policy ?? "any policy"} | ${seen}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const notes = readNotes(argv[2] ?? "");
  writeFileSync(matrixFile, render(notes));
  const found = problems(notes);
  for (const problem of found) console.log(problem);
  process.exitCode = found.length > 0 ? 1 : 0;
}

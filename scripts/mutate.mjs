// `npm run mutate`: changes one thing at a time in the files that decide, and tells which changes no test notices.
// `npm run mutate -- --only merge,answer` tries some files; `--jobs 1` uses one processor instead of two.
// Which tests belong to which file: test/mutation/targets.json. Changes that change nothing: test/mutation/equivalent.json.
import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./inputs.mjs";
import { endChildren, StepFailed, seconds } from "./run.mjs";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    jobs: { type: "string", default: "2" },
    "no-setup": { type: "boolean", default: false },
  },
});

const read = (name) => JSON.parse(readFileSync(join(root, "test/mutation", name), "utf8"));
const targets = read("targets.json");
const equivalents = read("equivalent.json");
const nameOf = (file) => basename(file, extname(file));

const only = values.only?.split(",");
const unknown = only?.filter((name) => !Object.keys(targets).some((file) => nameOf(file) === name)) ?? [];
if (unknown.length > 0) {
  console.error(
    `--only ${unknown.join(",")}: there is no such file among ${Object.keys(targets).map(nameOf).join(", ")}.`,
  );
  process.exit(2);
}

if (!values["no-setup"]) await setup();
const { copyTree, mutate, stop } = await import("./mutants.mjs"); // only now: what it needs may just have been installed

/** What became of the mutants of one file, with those that are known to change nothing told apart. */
function judge(file, mutants) {
  const stale = [];
  for (const entry of equivalents[file] ?? []) {
    // Several places may have the same text: the entry is for those where no test notices the change.
    const meant = mutants.filter(({ was, becomes }) => was === entry.was && becomes === entry.becomes);
    if (meant.length === 0) stale.push(entry);
    const unnoticed = meant.filter(({ outcome }) => outcome === "survived");
    for (const mutant of unnoticed) mutant.outcome = "equivalent";
    if (unnoticed.length > 0) continue;
    for (const mutant of meant) if (mutant.outcome === "killed") mutant.outcome = "not equivalent";
  }
  return { file, mutants, stale };
}

const count = ({ mutants }, outcome) => mutants.filter((mutant) => mutant.outcome === outcome).length;
const columns = ["killed", "timeout", "equivalent", "survived"];

function tell(results) {
  const rows = results.map((result) => [
    ...[nameOf(result.file), result.mutants.length, ...columns.map((column) => count(result, column))],
    result.took,
  ]);
  const sums = ["all", ...[1, 2, 3, 4, 5].map((at) => rows.reduce((sum, row) => sum + row[at], 0)), ""];
  for (const row of [["", "mutants", ...columns, "time"], ...rows, sums]) {
    console.log(
      row.map((cell, at) => (at === 0 ? String(cell).padEnd(16) : String(cell).padStart(11))).join(""),
    );
  }
}

const words = {
  survived: "survived",
  "not equivalent": "is in equivalent.json, but a test notices it",
};

function tellSurvivors({ file, mutants, stale }) {
  for (const { line, was, becomes, outcome } of mutants) {
    if (words[outcome]) console.log(`\n${file}:${line} ${words[outcome]}\n- ${was}\n+ ${becomes}`);
  }
  for (const { was, becomes } of stale) {
    console.log(`\n${file}: equivalent.json has a change that is not made any more\n- ${was}\n+ ${becomes}`);
  }
}

const isClean = ({ mutants, stale }) => stale.length === 0 && !mutants.some(({ outcome }) => words[outcome]);

const { folder, remove } = copyTree();
process.on("exit", remove);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await endChildren();
    await stop();
    process.exit(130);
  });
}

const results = [];
let failed = false;
for (const [file, tests] of Object.entries(targets)) {
  if (only && !only.includes(nameOf(file))) continue;
  const started = performance.now();
  console.log(`Mutating ${file}`);
  try {
    const mutants = await mutate(folder, file, tests, Number(values.jobs));
    const result = { ...judge(file, mutants), took: seconds(started) };
    results.push(result);
    tellSurvivors(result);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.log(error.message);
    failed = true;
  }
}
await stop();
console.log();
tell(results);
process.exitCode = !failed && results.every(isClean) ? 0 : 1;

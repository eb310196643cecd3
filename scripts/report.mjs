// Runs steps, shows each with its time, and counts the tests: the last line is `N passed, N failed`.
// A test file that failed gets a second try, alone on the machine, and is named when it passes then.
//
// A step may have a `problem`, which is why it cannot run; a `detail`, which words its counts; and a `log`, a file that keeps
// all of its output when it fails.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./inputs.mjs";
import { seconds } from "./run.mjs";

const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });
}

/** What a runner's own report says; a runner that died, or found no test, counts as one failure. */
function readReport(kind, reportFile, code) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let failedFiles = [];
  try {
    if (kind === "jest") {
      const report = JSON.parse(readFileSync(reportFile, "utf8"));
      counts.passed = report.numPassedTests;
      counts.failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
      counts.skipped = report.numPendingTests;
      failedFiles = report.testResults
        .filter(({ status }) => status === "failed")
        .map(({ name, assertionResults }) => ({
          path: relative(root, name),
          passed: assertionResults.filter(({ status }) => status === "passed").length,
        }));
    } else if (kind === "pytest") {
      const report = readFileSync(reportFile, "utf8");
      const number = (name) =>
        Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(report)?.[1] ?? 0);
      counts.failed = number("failures") + number("errors");
      counts.skipped = number("skipped");
      counts.passed = number("tests") - counts.failed - counts.skipped;
      failedFiles = failedPythonFiles(report);
    } else {
      counts.passed = code === 0 ? 1 : 0;
    }
  } catch {
    // no report: the runner did not get that far, which its exit code tells below
  }
  if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) counts.failed = 1;
  return { counts, failedFiles };
}

function failedPythonFiles(report) {
  const files = new Map();
  for (const [, attributes, inside] of report.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const path = /\bfile="([^"]*)"/.exec(attributes)?.[1];
    const file = files.get(path) ?? { path, passed: 0, failed: 0 };
    files.set(path, file);
    if (/^\s*<(failure|error)/.test(inside ?? "")) file.failed += 1;
    else if (!/^\s*<skipped/.test(inside ?? "")) file.passed += 1;
  }
  return [...files.values()].filter(({ failed }) => failed > 0);
}

const width = 26;
// Far more than any step needs: it bounds a hang, and leaves CI the time to tell the rest.
const longestStepMs = 20 * 60_000;

/** Runs a step once; gives its counts, the files that failed, its output, and how long it took. */
async function attempt(step, folder) {
  if (step.problem) {
    const counts = { passed: 0, failed: 1, skipped: 0 };
    return { counts, failedFiles: [], output: step.problem, took: "" };
  }
  const reportFile = join(folder, `${step.name.replaceAll(/\W+/g, "-")}.report`);
  rmSync(reportFile, { force: true });
  const reporting = {
    jest: [`--json`, `--outputFile=${reportFile}`],
    pytest: [`--junitxml=${reportFile}`, "-o", "junit_family=xunit1"],
    check: [],
  };
  const started = performance.now();
  let output = "";
  const code = await new Promise((resolve) => {
    const args = [...step.args, ...reporting[step.kind]];
    if (step.kind === "jest") args.push("--runTestsByPath");
    const child = spawn(step.command, [...args, ...(step.paths ?? [])], {
      cwd: root,
      env: { ...process.env, ...step.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const bound = setTimeout(() => {
      output += `\nstopped: it took longer than ${longestStepMs / 60_000} minutes`;
      child.kill("SIGKILL");
    }, longestStepMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", (error) => {
      output += `cannot start ${step.command}: ${error.message}`;
      resolve(1);
    });
    child.on("close", (exitCode) => {
      clearTimeout(bound);
      running.delete(child);
      resolve(exitCode ?? 1);
    });
  });
  return { ...readReport(step.kind, reportFile, code), output, took: seconds(started) };
}

function tell(step, { counts, took, output }, name = step.name) {
  const detail = step.kind === "check" ? "" : `  ${(step.detail ?? total)(counts)}`;
  const word = counts.failed === 0 ? "ok  " : "FAIL";
  console.log(`  ${word} ${name.padEnd(width)} ${took.padStart(8)}${detail}`);
  if (counts.failed === 0) return;
  console.log(`${excerpt(output).replaceAll(/^/gm, "       | ")}\n`);
  if (step.log) {
    writeFileSync(step.log, output);
    console.log(`       all of it: ${relative(root, step.log)}\n`);
  }
}

async function runStep(step, folder) {
  const result = await attempt(step, folder);
  tell(step, result);
  return { step, ...result };
}

// A busy machine can fail a file or two, by a bound on a wait. More than that is no accident.
const mostSecondTries = 4;

/** Runs the failed files of a step once more, one by one; gives what the step's counts become. */
async function secondTry({ step, counts, failedFiles }, folder) {
  if (failedFiles.length === 0 || failedFiles.length > mostSecondTries) return counts;
  const paths = failedFiles.map(({ path }) => path);
  const args = step.args.map((option) => (option.startsWith("--maxWorkers") ? "--runInBand" : option));
  const result = await attempt({ ...step, args, paths }, folder);
  tell(step, result, `${step.name}, 2nd try`);
  const names = result.failedFiles.map(({ path }) => path);
  const accidents = paths.filter((path) => !names.includes(path));
  if (accidents.length > 0) console.log(`  unsteady: ${accidents.join(", ")} passed on the second try only`);
  const passedInThem = failedFiles.reduce((sum, { passed }) => sum + passed, 0);
  return {
    ...counts,
    passed: counts.passed - passedInThem + result.counts.passed,
    failed: result.counts.failed,
  };
}

/** The beginning and the end of a long output. */
function excerpt(output) {
  const lines = output.trimEnd().split("\n");
  if (lines.length <= 200) return lines.join("\n");
  return [...lines.slice(0, 120), `... (${lines.length - 180} more lines)`, ...lines.slice(-60)].join("\n");
}

function total({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Runs the steps: first `lanes` at a time, then one by one those that ask to be alone. Prints the total, and gives whether all
 * is well. `summary` gives what to print before the total, from each step with its counts.
 */
export async function runSteps(steps, { summary, lanes = 2 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "bridge-tests-"));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const finished = [];
  const finish = async (result) => {
    const final = await secondTry(result, folder);
    finished.push({ step: result.step, counts: final });
    for (const key of Object.keys(counts)) counts[key] += final[key];
  };
  try {
    const together = steps.filter(({ alone }) => !alone);
    const results = [];
    const lane = async () => {
      for (let step = together.shift(); step; step = together.shift())
        results.push(await runStep(step, folder));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    for (const result of results) await finish(result);
    for (const step of steps.filter(({ alone }) => alone)) {
      console.log(`  ...  ${step.name}`);
      await finish(await runStep(step, folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (summary) console.log(`\n${summary(finished)}`);
  console.log(`\n${total(counts)}`);
  return counts.failed === 0;
}

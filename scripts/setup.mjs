// Makes what the project needs to run: node_modules, .venv with Synapse and the shim, and the build.
// Uses Node's built-ins only, does nothing that is already done, and begins again where it was interrupted.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashFiles, readStamp, root, writeStamp } from "./inputs.mjs";
import { findPython, venvWorks } from "./python.mjs";
import { endChildren, run, StepFailed, seconds } from "./run.mjs";

const venv = join(root, ".venv");
const stampFile = join(venv, ".setup");
const unfinished = join(venv, ".setup-unfinished");
const shim = join(root, "python-shim");
const python = join(venv, "bin/python");

function say(what, started) {
  console.log(`  ${what}${started === undefined ? "" : ` (${seconds(started)})`}`);
}

/** Whether what npm wrote last is what the lock file asks for; packages for other machines may be absent. */
function nodeModulesAreFresh() {
  const packagesIn = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return false;
  const installed = packagesIn(join(root, "node_modules/.package-lock.json"));
  return Object.entries(packagesIn(join(root, "package-lock.json"))).every(
    ([path, wanted]) =>
      path === "" || (installed[path] ? installed[path].version === wanted.version : wanted.optional),
  );
}

async function setUpNode() {
  if (nodeModulesAreFresh()) return say("node_modules: up to date");
  const started = performance.now();
  await run("npm packages", "npm", ["ci", "--no-audit", "--no-fund"]);
  say("node_modules: installed", started);
}

/** Python's side; the shim itself is installed last since its metadata names what the build makes. */
async function setUpPython(built) {
  const requirements = ["requirements-dev.txt", "constraints.txt", "pyproject.toml"].map((name) =>
    join(shim, name),
  );
  const hash = hashFiles(requirements, venv);
  if (readStamp(stampFile) === hash && !existsSync(unfinished) && venvWorks(python)) {
    return say(".venv: up to date");
  }
  const started = performance.now();
  if (existsSync(unfinished) || !venvWorks(python) || isMoved())
    rmSync(venv, { recursive: true, force: true });
  const fresh = !existsSync(venv);
  const found = fresh ? findPython() : undefined;
  mkdirSync(venv, { recursive: true });
  writeFileSync(unfinished, "setup was interrupted; it will make this environment anew\n");
  if (found) {
    say(`.venv: with Python ${found.version} (${found.command})`);
    await run("Python environment", found.command, ["-m", "venv", venv]);
  }
  const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--progress-bar", "off"];
  await run("Synapse and the Python tools", python, [
    ...pip,
    ...["-r", join(shim, "requirements-dev.txt"), "-c", join(shim, "constraints.txt")],
  ]);
  await built.catch(() => {}); // told by who started it; an older build will do here
  await run("the shim", python, [...pip, "--no-deps", "--no-build-isolation", "--editable", shim]);
  writeStamp(stampFile, hash);
  rmSync(unfinished);
  say(`.venv: installed`, started);
}

/** An environment knows its own path; one that came along with a moved or copied folder starts the wrong programs. */
function isMoved() {
  const pip = join(venv, "bin/pip");
  return !existsSync(pip) || !readFileSync(pip, "utf8").startsWith(`#!${venv}/`);
}

async function buildAll() {
  const { build } = await import("./build.mjs");
  say(`dist/ and the host: ${await build()}`);
}

async function setUpAll() {
  const built = setUpNode().then(buildAll);
  built.catch(() => {}); // reported below
  const results = await Promise.allSettled([built, setUpPython(built)]);
  const failures = new Set(
    results.flatMap((result) => (result.status === "rejected" ? [result.reason] : [])),
  );
  if (failures.size > 0) throw new StepFailed([...failures].map((error) => error.message).join("\n\n"));
}

async function interrupted() {
  console.error("\nInterrupted; run it again to go on.");
  await endChildren();
  process.exit(130);
}

/** Sets everything up, or says what went wrong and ends the process. */
export async function setup() {
  const started = performance.now();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, interrupted);
  console.log("Setting up");
  try {
    const oldest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).engines.node.replace(
      ">=",
      "",
    );
    const [major, minor] = process.versions.node.split(".").map(Number);
    const [leastMajor, leastMinor] = oldest.split(".").map(Number);
    if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
      throw new StepFailed(`Node ${process.versions.node} is too old: install Node ${oldest} or newer.`);
    }
    await setUpAll();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.error(`\nSet-up failed.\n${error.message}`);
    process.exit(1);
  }
  for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, interrupted);
  console.log(`Ready (${seconds(started)})`);
}

if (import.meta.filename === process.argv[1]) await setup();

// Installs what a part of the matrix runs with: the wheel, once for all of them; Synapse by the authors' kit; a Node.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { installSynapse } from "../../dist/testing/synapse/installation.js";
import { root } from "../inputs.mjs";
import { installNode, nodes } from "../nodes.mjs";
import { run, StepFailed } from "../run.mjs";
import { pythonOf } from "./pythons.mjs";

const python = join(root, ".venv/bin/python");

/** Builds the wheel from what is built of the host, and installs it into a folder for PYTHONPATH; gives its path. */
export async function installWheel() {
  const folder = mkdtempSync(join(tmpdir(), "bridge-matrix-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const built = join(folder, "built");
  await run("the wheel", python, ["-m", "hatchling", "build", "-d", built, "-t", "wheel"], {
    cwd: join(root, "python-shim"),
  });
  const [wheel] = readdirSync(built);
  const shim = join(folder, "shim");
  const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--no-deps"];
  await run("the wheel", python, [...pip, "--target", shim, join(built, wheel)]);
  return shim;
}

/** The program to run the tests with, and their environment. Throws an Error that says what is missing. */
export async function prepare({ synapse, python: release, node, asyncio }, shim) {
  const executable = pythonOf(release);
  if (executable === undefined)
    throw new StepFailed(`there is no python${release} on PATH, and none of pyenv or uv`);
  const { python: withSynapse } = await installSynapse(synapse, executable);
  const command = await nodeOf(node);
  const subject = { python: withSynapse, version: synapse, shim };
  const env = {
    TESTED_SYNAPSE: JSON.stringify(subject),
    PATH: `${dirname(command)}${delimiter}${process.env.PATH}`,
    ...(asyncio && { SYNAPSE_ASYNC_IO_REACTOR: "1" }),
  };
  return { command, env };
}

async function nodeOf(line) {
  if (line === process.versions.node.split(".")[0]) return process.execPath;
  const known = nodes.find((one) => String(one.line) === line);
  if (known) return installNode(known);
  const lines = [process.versions.node.split(".")[0], ...nodes.map((one) => one.line)];
  throw new StepFailed(`Node ${line} is not among those that are tried: ${lines.join(", ")}`);
}

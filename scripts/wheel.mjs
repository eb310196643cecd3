// `npm run wheel`: builds the host, and the wheel that carries it, into python-shim/dist.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./inputs.mjs";
import { findPython, venvWorks } from "./python.mjs";
import { run } from "./run.mjs";

const shim = join(root, "python-shim");
const dist = join(shim, "dist");
const own = join(root, ".venv/bin/python");

try {
  console.log(`the host: ${await build()}`);
  rmSync(dist, { recursive: true, force: true });
  const python = venvWorks(own) ? own : findPython().command;
  const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  await run("the wheel", python, ["-m", "pip", "wheel", ...quiet, "--no-deps", "--wheel-dir", dist, shim]);
  for (const name of readdirSync(dist)) console.log(join("python-shim/dist", name));
} catch (error) {
  console.error(`The wheel was not built.\n${error.message}`);
  process.exitCode = 1;
}

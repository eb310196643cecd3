// Bundles a file of the host as the wheel's build does, to be run by a real Node: jest resolves and evaluates modules
// by rules of its own.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const oldest = engines.node.replace(">=", "");
const BANNER =
  'import { createRequire as _require } from "node:module"; const require = _require(import.meta.url);';

export interface Bundle {
  file: string;
  remove(): void;
}

/** `entry` is a path below the project's root. */
export function bundle(entry: string): Bundle {
  // Below node_modules, so that jiti, which is not bundled, is found.
  const cache = path.join(root, "node_modules/.cache/synapse-module-bridge");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, "test-"));
  // As an installation, which every user may run.
  chmodSync(folder, 0o755);
  const file = path.join(folder, "bundle.mjs");
  const args = ["--bundle", "--platform=node", "--format=esm", `--target=node${oldest}`, "--external:jiti"];
  const esbuild = path.join(root, "node_modules/esbuild/bin/esbuild");
  const { status, stderr } = spawnSync(
    esbuild,
    [entry, ...args, `--banner:js=${BANNER}`, "--log-level=error", `--outfile=${file}`],
    { cwd: root, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`esbuild failed: ${stderr}`);
  cpSync(path.join(root, "dist/compiler.cjs"), path.join(folder, "compiler.cjs"));
  cpSync(path.join(root, "schemas"), path.join(folder, "schemas"), { recursive: true });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

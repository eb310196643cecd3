// Implements the command `check` for single modules: finds all that is wrong with their files without a Synapse. The shim's
// own command checks a homeserver.yaml, since it reads that with Synapse's code.
import { existsSync } from "node:fs";
import path from "node:path";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { ModuleSettings } from "../declarations/module.js";
import { type LoadResult, loadModules } from "../loading/loader.js";
import { findFile } from "../loading/module-importer.js";
import { broadcastTable, callbackTable, resourceTable } from "./check-tables.js";
import { checkTypes, type Source } from "./check-types.js";
import type { ReportProgress } from "./subprocess.js";

export interface CheckOptions {
  /** The file with the module's config. */
  config?: string;
}

type Print = (text: string) => void;

/** Returns true if nothing is wrong. Throws an Error if there is nothing to check. */
export async function check(
  files: string[],
  { config }: CheckOptions,
  catalogue: Catalogue,
  print: Print,
  report: ReportProgress = () => {},
): Promise<boolean> {
  const others = files.filter((file) => !isModule(file));
  if (others.length > 0) throw new Error(refuseYaml(others));
  if (config !== undefined && files.length > 1)
    throw new Error("--config goes with one module: check these one by one");
  const present = files.map((given) => {
    const file = findFile(path.resolve(given));
    return { file, files: [file] };
  });
  const all = [];
  // Each module is checked alone. Problems have no place in a YAML file.
  for (const [index, given] of files.entries()) {
    const settings: ModuleSettings = {
      path: path.resolve(given),
      ...(config !== undefined && { config_file: path.resolve(config) }),
    };
    const loaded = await load(settings, catalogue, print, report);
    all.push({ loaded, source: loaded.listed[0] ?? (present[index] as Source) });
  }
  const types = await checkTypes(all.map(({ source }) => source));
  let sound = true;
  for (const { loaded, source } of all) {
    const found = types.get(source);
    if (found) print(`${source.file}: ${found.note}`);
    print(callbackTable(loaded.listed, catalogue));
    print(resourceTable(loaded.listed));
    const broadcasts = broadcastTable(loaded.listed);
    if (broadcasts !== "") print(broadcasts);
    // Without a config, problems of the config are no faults of the module.
    const configProblems = loaded.problems.filter(({ path: at }) => at[2] === "config");
    if (configProblems.length > 0) {
      const keys = configProblems
        .map(({ path: at, message }) => `${at.slice(3).join(".")} ${message}`.trim())
        .join(", ");
      print(`Not checked: its config, and what depends on it (${keys}). Give one with --config FILE.`);
    }
    // Missing grants are no faults either: nothing is granted here.
    for (const { path: at, message } of loaded.problems) if (at[2] === "grants") print(message);
    const problems = loaded.problems
      .filter(({ path: at }) => at[2] !== "config" && at[2] !== "grants")
      .map(({ message }) => message);
    // What the loader says comes last: of a file that is no text, tsc only sees odd characters.
    problems.unshift(...(found?.errors ?? []));
    printProblems(problems, print);
    sound &&= problems.length === 0;
  }
  return sound;
}

function isModule(given: string): boolean {
  return /\.[mc]?[jt]sx?$/.test(given) || existsSync(path.join(given, "package.json"));
}

function refuseYaml(others: string[]): string {
  const given = others.join(" ");
  return (
    `this command checks modules (a file, or a folder with a package.json), and not ${given}: Synapse's configuration is ` +
    "checked by the command of the Python package, in Synapse's own environment: " +
    `\`synapse-module-bridge check ${given}\`, or \`python -m synapse_module_bridge check ${given}\``
  );
}

/** Reports which module is being loaded, since it may end or hang the process. */
async function load(
  settings: ModuleSettings,
  catalogue: Catalogue,
  print: Print,
  report: ReportProgress,
): Promise<LoadResult> {
  const loaded = await loadModules([settings], catalogue, {
    warn: print,
    loading: () => report({ loading: settings.path }),
  });
  report({ between: true });
  return loaded;
}

function printProblems(problems: string[], print: Print): void {
  if (problems.length === 0) {
    print("No faults.");
    return;
  }
  print(problems.length === 1 ? "One fault:" : `${problems.length} faults:`);
  for (const problem of problems) print(`  ${problem.replaceAll("\n", "\n  ")}`);
}

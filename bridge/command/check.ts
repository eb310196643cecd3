// Implements the command `check` for single modules: finds all that is wrong with their files without a Synapse. The shim's
// own command checks a homeserver.yaml, since it reads that with Synapse's code.
import { existsSync } from "node:fs";
import path from "node:path";
import { requireRelease } from "../base/releases.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { ModuleSettings } from "../declarations/module.js";
import { conditionsTooNew } from "../declarations/since.js";
import { type LoadResult, loadModules } from "../loading/loader.js";
import { findFile } from "../loading/module-importer.js";
import { describeModule } from "./check-json.js";
import { findLacking } from "./check-release.js";
import type { CheckReport } from "./check-report.js";
import { broadcastTable, callbackTable, resourceTable } from "./check-tables.js";
import { checkTypes, type Source, type TypeCheck } from "./check-types.js";
import type { ReportProgress } from "./subprocess.js";

export interface CheckOptions {
  /** The file with the module's config. */
  config?: string;
  /** The release of Synapse to hold the modules against. */
  synapse?: string;
  /** Print a CheckReport. */
  json?: boolean;
}

type Print = (text: string) => void;

/** What was found out about one module. */
interface Checked {
  loaded: LoadResult;
  source: Source;
  types: TypeCheck | undefined;
  faults: string[];
  /** What is no fault of the module, but has to be known. */
  notes: string[];
}

/** Returns true if nothing is wrong. Throws an Error if there is nothing to check. */
export async function check(
  files: string[],
  options: CheckOptions,
  catalogue: Catalogue,
  print: Print,
  report: ReportProgress = () => {},
): Promise<boolean> {
  const { config, synapse, json = false } = options;
  const others = files.filter((file) => !isModule(file));
  if (others.length > 0) throw new Error(refuseYaml(others));
  if (config !== undefined && files.length > 1)
    throw new Error("--config goes with one module: check these one by one");
  if (synapse !== undefined) requireRelease(synapse);
  const present = files.map((given) => {
    const file = findFile(path.resolve(given));
    return { file, files: [file] };
  });
  const all: { loaded: LoadResult; source: Source }[] = [];
  const warnings: string[] = [];
  const warn: Print = json ? (text) => void warnings.push(text) : print;
  // Each module is checked alone. Problems have no place in a YAML file.
  for (const [index, given] of files.entries()) {
    const settings: ModuleSettings = {
      path: path.resolve(given),
      ...(config !== undefined && { config_file: path.resolve(config) }),
    };
    const loaded = await load(settings, catalogue, warn, report);
    all.push({ loaded, source: loaded.listed[0] ?? (present[index] as Source) });
  }
  const types = await checkTypes(all.map(({ source }) => source));
  const checked = all.map((one) => judge({ ...one, types: types.get(one.source) }, catalogue, synapse));
  if (json) print(JSON.stringify(reportOf(checked, warnings, catalogue, synapse), null, 2));
  else for (const one of checked) printChecked(one, catalogue, print);
  return checked.every(({ faults }) => faults.length === 0);
}

function judge(
  found: Pick<Checked, "loaded" | "source" | "types">,
  catalogue: Catalogue,
  synapse: string | undefined,
): Checked {
  const { loaded, types } = found;
  const notes: string[] = [];
  // Without a config, problems of the config are no faults of the module.
  const configProblems = loaded.problems.filter(({ path: at }) => at[2] === "config");
  if (configProblems.length > 0) {
    const keys = configProblems
      .map(({ path: at, message }) => `${at.slice(3).join(".")} ${message}`.trim())
      .join(", ");
    notes.push(`Not checked: its config, and what depends on it (${keys}). Give one with --config FILE.`);
  }
  // Missing grants are no faults either: nothing is granted here.
  for (const { path: at, message } of loaded.problems) if (at[2] === "grants") notes.push(message);
  // What the loader says comes last: of a file that is no text, tsc only sees odd characters.
  const faults = [...(types?.errors ?? [])];
  for (const { path: at, message } of loaded.problems)
    if (at[2] !== "config" && at[2] !== "grants") faults.push(message);
  if (synapse !== undefined) {
    const lacking = findLacking(synapse, loaded.listed, catalogue);
    const neverHold = conditionsTooNew(loaded.listed, synapse, catalogue);
    faults.push(...[...lacking.faults, ...neverHold].map(({ message }) => message));
    notes.push(...lacking.notes);
  }
  return { ...found, faults, notes };
}

function printChecked({ loaded, source, types, faults, notes }: Checked, catalogue: Catalogue, print: Print) {
  if (types) print(`${source.file}: ${types.note}`);
  print(callbackTable(loaded.listed, catalogue));
  print(resourceTable(loaded.listed));
  const broadcasts = broadcastTable(loaded.listed);
  if (broadcasts !== "") print(broadcasts);
  for (const note of notes) print(note);
  printProblems(faults, print);
}

function reportOf(
  checked: readonly Checked[],
  warnings: readonly string[],
  catalogue: Catalogue,
  synapse: string | undefined,
): CheckReport {
  const faults = checked.flatMap((one) => one.faults.map((message) => ({ at: one.source.file, message })));
  return {
    result: faults.length === 0 ? "good" : "faults",
    ...(synapse !== undefined && { synapse }),
    faults,
    warnings: [...warnings, ...new Set(checked.flatMap(({ notes }) => notes))],
    modules: checked.flatMap(({ loaded, types }) =>
      loaded.listed.map((one) =>
        describeModule(one, { file: one.file, types: types?.note ?? "" }, catalogue),
      ),
    ),
  };
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

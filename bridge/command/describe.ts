// Describes for the shim's `check` what loaded modules declare, in words for an admin, and checks their types. It loads no
// module itself.

import { whyTooOld } from "../base/releases.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { DeclaredModule, StartupProblem } from "../catalogue/protocol.js";
import { type ModuleSettings, nameOf } from "../declarations/module.js";
import { findFile } from "../loading/module-importer.js";
import { describeModule } from "./check-json.js";
import { findLacking } from "./check-release.js";
import type { CheckedModule } from "./check-report.js";
import {
  broadcastTable,
  type CallbackTerms,
  callbackTable,
  resourceTable,
  type ShownModule,
} from "./check-tables.js";
import { checkTypes, type Source } from "./check-types.js";

export interface Asked {
  modules: {
    settings: ModuleSettings;
    /** Undefined if the module has a startup problem. */
    declared?: Pick<DeclaredModule, "callbacks" | "web_resources" | "broadcasts"> & { files: string[] };
  }[];
  terms: Record<string, CallbackTerms>;
  /** A release of Synapse to hold them against, beside the one that is installed. */
  synapse?: string;
  /** The callbacks that Synapse may lack. */
  optional: string[];
}

export interface Described {
  text: string;
  faults: StartupProblem[];
  /** What a release of Synapse that was asked about lacks, and the modules do without. */
  notes: string[];
  /** The sound ones. */
  modules: CheckedModule[];
}

export async function describe(
  { modules, terms, synapse, optional }: Asked,
  catalogue: Catalogue,
): Promise<Described> {
  const lines: string[] = [];
  const problems: StartupProblem[] = [];
  const sources = modules.map(sourceOf);
  const types = await checkTypes(sources.filter((source) => source !== undefined));
  for (const [index, source] of sources.entries()) {
    const found = source && types.get(source);
    if (!found) continue;
    lines.push(`${source.file}: ${found.note}`);
    problems.push(...found.errors.map((message) => ({ path: ["modules", index, "path"], message })));
  }
  const shown: ShownModule[] = [];
  const facts: CheckedModule[] = [];
  for (const [index, { settings, declared }] of modules.entries()) {
    if (!declared) continue;
    const callbacks = new Map(Object.entries(declared.callbacks));
    const one: ShownModule = { ...declared, ...settings, name: nameOf(settings), callbacks };
    const source = sources[index] as Source;
    const note = types.get(source)?.note ?? "";
    shown.push(one);
    facts.push(describeModule(one, { file: source.file, types: note }, catalogue, terms));
  }
  const tooOld = synapse === undefined ? undefined : whyTooOld(synapse);
  if (tooOld !== undefined) problems.push({ path: ["modules"], message: tooOld });
  const lacking = synapse === undefined ? undefined : findLacking(synapse, shown, catalogue, optional);
  for (const { module, message } of lacking?.faults ?? []) {
    const index = modules.findIndex(({ settings }) => nameOf(settings) === module);
    problems.push({ path: ["modules", index, "path"], message });
  }
  if (shown.length > 0) lines.push(callbackTable(shown, catalogue, terms), resourceTable(shown));
  const broadcasts = broadcastTable(shown);
  if (broadcasts !== "") lines.push(broadcasts);
  const hidden = modules.filter(({ declared }) => !declared).map(({ settings }) => nameOf(settings));
  if (hidden.length > 0) lines.push(`Not shown, for the faults below: ${hidden.join(", ")}.\n`);
  const text = lines.map((line) => `${line}\n`).join("");
  return { text, faults: problems, notes: lacking?.notes ?? [], modules: facts };
}

/** Undefined if there is no such file, which the host has reported already. */
function sourceOf({ settings, declared }: Asked["modules"][number]): Source | undefined {
  if (declared) return { file: declared.files[0] ?? settings.path, files: declared.files };
  try {
    const file = findFile(settings.path);
    return { file, files: [file] };
  } catch {
    return undefined;
  }
}

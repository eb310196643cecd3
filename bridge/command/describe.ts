// Describes for the shim's `check` what loaded modules declare, in words for an admin, and checks their types. It loads no
// module itself.

import type { Catalogue } from "../catalogue/catalogue.js";
import type { DeclaredModule, StartupProblem } from "../catalogue/protocol.js";
import { type ModuleSettings, nameOf } from "../declarations/module.js";
import { findFile } from "../loading/module-importer.js";
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
}

export interface Described {
  text: string;
  faults: StartupProblem[];
}

export async function describe({ modules, terms }: Asked, catalogue: Catalogue): Promise<Described> {
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
  const shown = modules.flatMap(({ settings, declared }): ShownModule[] =>
    declared
      ? [
          {
            ...declared,
            ...settings,
            name: nameOf(settings),
            callbacks: new Map(Object.entries(declared.callbacks)),
          },
        ]
      : [],
  );
  if (shown.length > 0) lines.push(callbackTable(shown, catalogue, terms), resourceTable(shown));
  const broadcasts = broadcastTable(shown);
  if (broadcasts !== "") lines.push(broadcasts);
  const hidden = modules.filter(({ declared }) => !declared).map(({ settings }) => nameOf(settings));
  if (hidden.length > 0) lines.push(`Not shown, for the faults below: ${hidden.join(", ")}.\n`);
  return { text: lines.map((line) => `${line}\n`).join(""), faults: problems };
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

// Writes the files that derive from schemas/: types, enums, and the reference pages; and the page of faults, which
// derives from the table that the tests go by.
// With --check it writes nothing, names the files that are stale, and exits 1.
import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import type { ApiMethod, ApiProperty, Callback, WireType } from "./catalogue.js";
import { renderApiDocs } from "./render-api.js";
import { renderCoverage } from "./render-coverage.js";
import { renderDocs } from "./render-docs.js";
import { type Fault, renderFaults } from "./render-faults.js";
import { renderCodes, renderTypes } from "./render-types.js";

export type Policy = "allow" | "deny" | "defer";
export type Means = "pass" | "raise" | { readonly answer: unknown };

/** Which policy answers when no module does, and how each policy is expressed to Synapse. */
export type Failure = { readonly [Name in Policy]?: Means } & {
  readonly default: Policy;
  readonly federated?: Readonly<Partial<Record<Policy, Means>>>;
  readonly explicit?: Readonly<Record<string, readonly string[]>>;
  readonly exceptions?: readonly {
    readonly policy: Policy;
    readonly where: Readonly<Record<string, string>>;
    readonly same?: readonly string[];
  }[];
};

export interface DeclaredCallback extends Callback {
  readonly on_failure: Failure;
}

export interface Sources {
  readonly callbacks: readonly DeclaredCallback[];
  readonly types: Readonly<Record<string, WireType>>;
  readonly properties: readonly (readonly [string, ApiProperty])[];
  readonly methods: readonly (readonly [string, ApiMethod])[];
  readonly absent: readonly (readonly [name: string, why: string])[];
  readonly errors: Readonly<Record<string, { readonly summary: string }>>;
  readonly codes: readonly (readonly [string, string])[];
  readonly faults: Readonly<Record<string, Fault>>;
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));

export function readSources(): Sources {
  const read = (name: string) => JSON.parse(readFileSync(`${ROOT}schemas/${name}`, "utf8"));
  const faults = JSON.parse(readFileSync(`${ROOT}test/faults/rows.json`, "utf8"));
  const { $schema, ...callbacks } = read("callbacks.json");
  const api = read("api.json");
  return {
    callbacks: Object.entries(callbacks).map(([name, entry]) => ({ ...(entry as DeclaredCallback), name })),
    types: read("types.json").definitions,
    properties: Object.entries(api.properties),
    methods: Object.entries(api.methods),
    absent: Object.entries(api.absent),
    errors: read("errors.json"),
    codes: Object.entries(read("codes.json")),
    faults,
  };
}

/** Each generated file's path from the root, and the text that it should hold. */
export async function renderAll(sources: Sources): Promise<[path: string, text: string][]> {
  return [
    ["bridge/generated.ts", await renderTypes(sources)],
    ["bridge/codes.ts", renderCodes(sources)],
    ["docs/callbacks.md", renderDocs(sources)],
    ["docs/faults.md", renderFaults(sources.faults)],
    ["docs/api.md", renderApiDocs(sources)],
    ["docs/coverage.md", renderCoverage(sources)],
  ];
}

export function staleFiles(rendered: [path: string, text: string][]): string[] {
  return rendered.filter(([path, text]) => currentText(path) !== text).map(([path]) => path);
}

function currentText(path: string): string | undefined {
  try {
    return readFileSync(ROOT + path, "utf8");
  } catch {
    return undefined; // a file that is absent is stale
  }
}

async function main(): Promise<void> {
  const rendered = await renderAll(readSources());
  const stale = staleFiles(rendered);
  if (!argv.includes("--check")) {
    for (const [path, text] of rendered) writeFileSync(ROOT + path, text);
    console.log(stale.length === 0 ? "nothing has changed" : `wrote ${stale.join(", ")}`);
  } else if (stale.length > 0) {
    console.error(`stale: ${stale.join(", ")}; run npm run generate`);
    process.exitCode = 1;
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) await main();

// Writes the files that derive from schemas/: types, enums and the reference pages. The examples in them come from
// examples/callbacks/, the page of faults from the table of the tests of faults, and that of versions from the last matrix.
// With --check it writes nothing, names the files that are stale, and exits 1.
import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { renderAdminApi } from "./render-admin-api.js";
import { renderAdminTypes } from "./render-admin-types.js";
import { renderApiDocs } from "./render-api.js";
import { renderCallbacks } from "./render-callbacks.js";
import { renderCheckReport } from "./render-check-report.js";
import { renderCodes } from "./render-codes.js";
import { renderCoverage } from "./render-coverage.js";
import { renderFaults } from "./render-faults.js";
import { renderProtocol } from "./render-protocol.js";
import { renderProtocolTypes } from "./render-protocol-types.js";
import { renderTypeDocs } from "./render-type-docs.js";
import { renderTypes } from "./render-types.js";
import { renderVersions } from "./render-versions.js";
import { ROOT, readSources, type Sources } from "./sources.js";

/** Each generated file's path from the root, and the text that it should hold. */
export async function renderAll(sources: Sources): Promise<[path: string, text: string][]> {
  const { wireTypes, callbacks, moduleApi } = await renderTypes(sources);
  const codes = renderCodes(sources);
  return [
    ["bridge/sdk/wire-types.ts", wireTypes],
    ["bridge/sdk/callbacks.ts", callbacks],
    ["bridge/sdk/module-api.ts", moduleApi],
    ["bridge/sdk/codes.ts", codes],
    ["bridge/catalogue/protocol.ts", renderProtocolTypes(sources)],
    ["bridge/catalogue/admin-api.ts", renderAdminTypes(sources)],
    ["docs/reference/admin-api.md", renderAdminApi(sources)],
    ["bridge/command/check-report.ts", renderCheckReport(sources)],
    ["docs/reference/callbacks.md", renderCallbacks(sources)],
    ["docs/reference/faults.md", renderFaults(sources.faults)],
    ["docs/reference/types.md", renderTypeDocs([wireTypes, callbacks, codes, ...sources.sdk])],
    ["docs/reference/api.md", renderApiDocs(sources)],
    ["docs/reference/coverage.md", renderCoverage(sources)],
    ["docs/reference/protocol.md", renderProtocol(sources)],
    ["docs/reference/versions.md", renderVersions(sources)],
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

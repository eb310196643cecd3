// Renders check.schema.json as TypeScript. Pure text, no files.
import { renderDefinition } from "./render-protocol-types.js";
import type { Sources } from "./sources.js";
import { GENERATED } from "./type-text.js";

/** The text of bridge/command/check-report.ts. */
export function renderCheckReport(sources: Sources): string {
  const definitions = Object.entries(sources.checkReport);
  return `// ${GENERATED}
// What \`check --json\` prints.

${definitions.map(([name, schema]) => renderDefinition(name, schema, sources)).join("\n")}`;
}

// Renders admin.json as TypeScript: its limits, and what each endpoint takes and answers. Pure text, no files.
import { blockOf, renderConstants, renderDefinition, renderMembers } from "./render-protocol-types.js";
import { type AdminEndpoint, meaningOf, type Sources } from "./sources.js";
import { GENERATED } from "./type-text.js";

// A moment may be a duration back from now. Other types are definitions.
const PARAMETER_TYPES: Readonly<Record<string, string>> = {
  text: "string",
  integer: "number",
  moment: "number | string",
};

/** The text of bridge/catalogue/admin-api.ts. */
export function renderAdminTypes(sources: Sources): string {
  const { limits, endpoints, definitions } = sources.admin;
  const members = Object.values(endpoints).map((endpoint) => [
    JSON.stringify(`${endpoint.method} ${endpoint.path}`),
    contentOf(endpoint),
    endpoint.summary,
  ]) as [string, string, string][];
  return `// ${GENERATED}
// The admin API: docs/reference/admin-api.md.

${[
  renderConstants("ADMIN_LIMITS", limits, ({ value }) => value),
  renderMembers("What the admin API takes and answers.", "AdminEndpoints", members),
  ...Object.entries(definitions).map(([name, schema]) => renderDefinition(name, schema, sources)),
].join("\n")}`;
}

function contentOf({ query = {}, body, answer }: AdminEndpoint): string {
  const parameters = Object.entries(query).map(([name, parameter]) => {
    const { type = "text", required } = parameter;
    const typed = PARAMETER_TYPES[type] ?? type;
    return [required ? name : `${name}?`, typed, meaningOf(parameter)] as const;
  });
  return blockOf([
    ...(parameters.length > 0 ? [["query", blockOf(parameters)] as const] : []),
    ...(body === undefined ? [] : [["body", body] as const]),
    ["answer", answer],
  ]);
}

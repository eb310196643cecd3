// Renders docs/reference/api.md, the reference page of the ModuleApi. Pure text, no files.
import type { ApiMethod } from "../../bridge/catalogue/catalogue.js";
import { GENERATED, objectText, typeText } from "./render-types.js";
import type { Sources } from "./sources.js";

const INTRODUCTION = `# The ModuleApi

<!-- ${GENERATED} -->

\`api\`, in the context of every handler and of \`setup\`, is Synapse's ModuleApi by its names. Parameters travel by name, in one
object: \`await api.is_user_admin({ user_id })\`. What a parameter may be is checked before anything is asked. Types that are not
plain are declared in [\`bridge/sdk/wire-types.ts\`](../../bridge/sdk/wire-types.ts), and \`synapse-module-bridge\` exports them.

**At once** are methods that are answered in Node, without a promise. **Reads** are open to every module. **Writes** need a grant:
\`grants: [send_mail]\` beside the module's \`path\` in \`homeserver.yaml\`, by the name of a method or of a group such as
\`http_client\`, or \`grants: all\`. A call without a grant is refused, and says which line to write. The writes of a shadow module are
all refused.

A call from inside a callback calls callbacks again, of all modules, as in Python. One thing cannot work: while
\`user_may_join_room\`, \`user_may_invite\`, or \`check_event_allowed\` for a membership is asked about a local user, Synapse lets no other
membership of that room change. A module that awaits \`update_room_membership\` for that room there gets an \`ApiError\` of the kind
\`membership_locked\`, after a second or half of the time that is left to the call, and nothing is changed. Start it without awaiting
it, and catch its errors: it is done once the callback has been answered.

\`http_client\` is Synapse's own: its settings for proxies hold, its lists of blocked addresses do not. An answer may have 10 MiB,
and 90 s to come. Node's \`fetch\` needs no grant: grants guard against mistakes, no sandbox holds a module. With its logger
\`synapse.http.client\` at DEBUG, Synapse logs the bodies of such requests.
`;

const GROUPS: readonly (readonly [access: ApiMethod["access"], title: string])[] = [
  ["sync", "At once"],
  ["read", "Reads"],
  ["write", "Writes"],
];

export function renderApiDocs(sources: Sources): string {
  return [
    INTRODUCTION,
    renderErrors(sources),
    renderProperties(sources),
    ...GROUPS.map(([access, title]) => renderGroup(access, title, sources)),
    renderAbsent(sources),
  ].join("\n");
}

function renderErrors({ protocol }: Sources): string {
  const kinds = Object.entries(protocol.errors)
    .filter(([, { thrown_as }]) => thrown_as === "ApiError")
    .map(([kind, { summary }]) => `| \`${kind}\` | ${summary} |\n`);
  return `## Errors

| error | recognised by | what it has |
| --- | --- | --- |
| \`SynapseError\`: Synapse refused, as it would a client | \`isSynapseError(error)\` | \`code\`, \`msg\`, \`errcode\`, \`additional_fields\` |
| \`HttpResponseException\`: another server's status is not 2xx | \`isHttpResponseException(error)\` | \`code\`, \`msg\`, \`response\` (bytes) |
| \`ApiError\`: anything else | \`isApiError(error)\` | \`kind\`, \`method\`, and \`exception\`, the name of Synapse's exception |
| \`TypeError\`: parameters that do not fit | \`error instanceof TypeError\` | |

The kinds of \`ApiError\`:

| kind | what has happened |
| --- | --- |
${kinds.join("")}| \`host_error\` | The bridge itself failed. |
`;
}

function renderProperties(sources: Sources): string {
  const rows = sources.properties.map(
    ([name, { type, summary }]) =>
      `| \`${name}\` | \`${typeText(type, sources).replaceAll("|", "\\|")}\` | ${summary} |\n`,
  );
  return `## Properties\n\nKnown from the start.\n\n| name | type | |\n| --- | --- | --- |\n${rows.join("")}`;
}

function renderGroup(access: ApiMethod["access"], title: string, sources: Sources): string {
  const methods = sources.methods.filter(([, method]) => method.access === access);
  const sections = methods.map(([name, method]) => renderMethod(name, method, sources));
  return `## ${title}\n\n${sections.join("\n")}`;
}

const PLACES = { main: "the main process", presence: "a process that writes presence" };

function renderMethod(name: string, method: ApiMethod, sources: Sources): string {
  const { since, process, summary, params } = method;
  const notes = [
    method.grant && `Grant: ${method.grant}`,
    since && `Since Synapse ${since}`,
    process && `only in ${PLACES[process]}`,
  ].filter(Boolean);
  const described = Object.entries(method.tsType ? {} : params).map(
    ([param, type]) => `- \`${param.replace(/\?$/, "")}\`: ${describe(type, sources)}`,
  );
  const result = describe(method.result, sources);
  const parts = [
    `### \`${name}\``,
    notes.length > 0 ? `_${notes.join("; ")}_` : "",
    summary,
    `\`\`\`ts\n${signature(name, method, sources)}\n\`\`\``,
    described.join("\n"),
    method.result === "Nothing" || method.tsType ? "" : `**Result**: ${result}`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function signature(name: string, { params, result, access, tsType }: ApiMethod, sources: Sources): string {
  if (tsType !== undefined) return `api.${name}: ${tsType} // bridge/sdk/storage-types.ts`;
  const text = typeText(result, sources);
  const returned = access === "sync" ? text : `Promise<${text}>`;
  const names = Object.keys(params);
  if (names.length === 0) return `api.${name}(): ${returned}`;
  const optional = names.every((one) => one.endsWith("?")) ? "?" : "";
  const fields = objectText(params, sources, 110 - `api.${name}(params?: ): ${returned}`.length);
  return `api.${name}(params${optional}: ${fields}): ${returned}`.replaceAll(" | undefined", "");
}

function describe(type: string, sources: Sources): string {
  const name = type.replace(/\?$/, "");
  const description = sources.types[name]?.description?.replace(/ On the wire:.*/s, "");
  return `${description ?? ""}${name === type ? "" : " Or `null`."}`;
}

function renderAbsent({ absent }: Sources): string {
  const rows = absent.map(([name, why]) => `| \`${name}\` | ${why} |\n`);
  return `## What cannot cross\n\n| member | why, and what to use instead |\n| --- | --- |\n${rows.join("")}`;
}

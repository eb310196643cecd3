// Renders docs/reference/api.md, the reference page of the ModuleApi. Pure text, no files.
import type { ApiMethod } from "../../bridge/catalogue/catalogue.js";
import { anchor, describe, parameters, table, typeLink, withLinks } from "./markdown.js";
import type { Sources } from "./sources.js";
import { declarationsIn } from "./type-declarations.js";
import { GENERATED, sinceText } from "./type-text.js";

const INTRODUCTION = `# The ModuleApi

<!-- ${GENERATED} -->

\`api\`, in the context of every handler and of \`setup\`, is Synapse's ModuleApi. It has Synapse's names, and takes parameters
by name, in one object: \`await api.is_user_admin({ user_id })\`. A name with \`?\` may be left out. The bridge checks the
parameters before it asks Synapse. [Types](types.md) has the declarations. [Storage](../author/storage.md) explains
\`api.store\` and \`run_db_interaction\`.

- **[At once](#at-once)**: Node answers these methods itself, without a promise.
- **[Reads](#reads)**: every module may use them.
- **[Writes](#writes)**: they need a [grant](../admin/configuration.md#grants), by the name of the method or of its group, such
  as \`http_client\`. All writes of a shadow module are refused.

A call from a callback makes Synapse ask callbacks again, as in Python. One call cannot work: a callback about a membership
cannot await \`update_room_membership\` for the same room.
[Start the change without awaiting it](../author/modules.md#promises-that-nobody-awaits).
`;

const HTTP_CLIENT = `The methods of \`http_client\` use Synapse's HTTP client with its proxy settings, but without its lists of blocked addresses. An
answer may have 10 MiB and take 90 s. If the logger \`synapse.http.client\` is at DEBUG, Synapse logs the bodies of these requests.
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
    renderProcesses(sources),
    renderProperties(sources),
    ...GROUPS.map(([access, title]) => renderGroup(access, title, sources)),
    renderAbsent(sources),
  ].join("\n");
}

function renderErrors({ protocol }: Sources): string {
  const kinds = Object.entries(protocol.errors)
    .filter(([, { thrown_as }]) => thrown_as === "ApiError")
    .map(([kind, { summary }]) => [`\`${kind}\``, summary]);
  return `## Errors

| error | thrown when | test for it | what it has |
| --- | --- | --- | --- |
| \`SynapseError\` | Synapse refuses, as it would refuse a client. | \`isSynapseError(error)\` | \`code\`, \`msg\`, \`errcode\`, \`additional_fields\` |
| \`HttpResponseException\` | Another server answers with a status that is not 2xx. | \`isHttpResponseException(error)\` | \`code\`, \`msg\`, \`response\` (bytes) |
| \`DatabaseError\` | SQL fails. | \`isDatabaseError(error)\` | [\`kind\`, \`sqlstate\`, \`statement\`](../author/storage.md#results) |
| \`ApiError\` | Anything else fails. | \`isApiError(error)\` | \`kind\`, \`method\`, \`exception\` (the class of Synapse's exception) |
| \`TypeError\` | Parameters do not fit. | \`error instanceof TypeError\` | |

The kinds of \`ApiError\`:

${table(["kind", "what has happened"], [...kinds, ["`host_error`", "The bridge itself failed."]])}`;
}

function renderProcesses({ methods, processes }: Sources): string {
  const rows = methods.flatMap(([name, { process }]) =>
    process ? [[`[\`${name}\`](#${anchor(name)})`, processes[process]]] : [],
  );
  return `## Processes

Modules run in each process of Synapse that starts Node. There all members of the \`api\` work, except these. Elsewhere they
throw an \`ApiError\` (\`wrong_process\`), which names the processes where they work. \`api.worker_name\` tells which process this
is. A module can ask itself in another process with [\`api.broadcast\`](../author/modules.md#broadcasts).

${table(["method", "works in"], rows)}
[A test](../../test/synapse/workers/api.test.ts) calls each of them in each kind of process, on PostgreSQL and Redis: in the main one,
in workers that serve clients and media, and in those that write events and presence, send pushes, and run background tasks.
`;
}

function renderProperties(sources: Sources): string {
  const rows = sources.properties.map(([name, { since, type, summary }]) => [
    `\`${name}\``,
    typeLink(type, sources),
    withSince(summary, since),
  ]);
  return `## Properties\n\n${table(["name", "type", "meaning"], rows)}`;
}

function renderGroup(access: ApiMethod["access"], title: string, sources: Sources): string {
  const methods = sources.methods.filter(([, method]) => method.access === access);
  const links = methods.map(([name]) => `[\`${name}\`](#${anchor(name)})`).join(", ");
  const about = access === "write" ? [HTTP_CLIENT] : [];
  const sections = methods.map(([name, method]) => renderMethod(name, method, sources));
  return [`## ${title}\n\n${links}\n`, ...about, ...sections].join("\n");
}

function renderMethod(name: string, method: ApiMethod, sources: Sources): string {
  const { access, since, process, summary, params, grant, tsType, result, example } = method;
  const facts = [
    // Node answers those that are not asynchronous, whatever Synapse has.
    access !== "sync" && sinceText(since),
    process && `Only in ${sources.processes[process]}.`,
    grant && `Needs the grant \`${grant}\`.`,
  ].filter(Boolean);
  const names = sources.methods.map(([one]) => one);
  const parts = [
    `### \`${name}\``,
    `${withLinks(summary, names)}${facts.length > 0 ? ` _${facts.join(" ")}_` : ""}`,
  ];
  const declaration = tsType && declarationsIn(sources.sdk).get(tsType);
  // Its comment would repeat the summary.
  if (declaration) parts.push(`\`\`\`ts\n${declaration.replace(/^\/\*\*[\s\S]*?\*\/\n/, "").trim()}\n\`\`\``);
  else {
    if (Object.keys(params).length > 0) parts.push(parameters(params, methodNotes(method), sources));
    if (result !== "Nothing")
      parts.push(`**Result**: ${typeLink(result, sources)}${meaning(result, sources)}`);
  }
  parts.push(`\`\`\`ts\n${example}\n\`\`\``);
  return `${parts.join("\n\n")}\n`;
}

const withSince = (text: string, since: string | undefined) =>
  since === undefined ? text : `${text} _${sinceText(since)}_`;

/** What is said of each parameter of a method. */
export function methodNotes({ notes = {}, params_since = {} }: ApiMethod): Record<string, string> {
  const dated = Object.entries(params_since).map(([name, first]) => {
    const note = [notes[name] ?? [], `before Synapse ${first}, a call with it fails`].flat().join("; ");
    return [name, note] as const;
  });
  return { ...notes, ...Object.fromEntries(dated) };
}

/** Of a list, such as [room id, servers], the type alone does not tell what is what. */
function meaning(type: string, sources: Sources): string {
  const text = describe(type, sources);
  return /^\[|: \[|\[.*\]/.test(text) ? `. ${text}` : "";
}

function renderAbsent({ absent }: Sources): string {
  return `## Not there\n\n${table(
    ["member of the ModuleApi", "why, and what to use instead"],
    absent.map(([name, { since, why }]) => [`\`${name}\``, withSince(why, since)]),
  )}`;
}

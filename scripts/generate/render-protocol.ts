// Renders docs/reference/protocol.md: the messages of the wire, what they hold, and every number and name that both sides
// know. Pure text, no files.
import { code, type Row, table } from "./markdown.js";
import type { Message, Protocol, Schema, Sources } from "./sources.js";
import { GENERATED } from "./type-text.js";

/** Of protocol.json or admin.json. */
type Definitions = Pick<Protocol, "definitions">;

const INTRODUCTION = `# The protocol: reference

<!-- ${GENERATED} -->

Every message, record, limit, error and reason that the shim and the host share, as
[\`schemas/protocol.json\`](../../schemas/protocol.json) declares them. [The protocol](../internals/protocol.md) says how both
sides use them.

\`callbacks.json\`, \`types.json\` and \`api.json\` in the same folder declare the callbacks, the wire types and the methods of
the ModuleApi. A type without a section here is one of \`types.json\`. \`?\` after a type means "or null". \`?\` after a name means
that it may be absent. Each side ignores keys that are not declared.
`;

export function renderProtocol({ protocol }: Sources): string {
  return [
    INTRODUCTION,
    `The version of the protocol is ${protocol.version}.\n`,
    renderMessages("Messages of the shim", "shim", protocol),
    renderMessages("Messages of the host", "host", protocol),
    section("Limits", ["limit", "value", "meaning"], numberRows(protocol.limits)),
    section("Records", ["kind", "content", "meaning"], recordRows(protocol)),
    section(
      "Log levels",
      ["level", "value", "meaning"],
      numberRows(protocol.log_levels),
      "The numbers in `log` records and in `log_levels`.",
    ),
    section("Errors", ["error", "code", "data", "what modules catch", "meaning"], errorRows(protocol)),
    section(
      "Reasons",
      ["reason", "meaning"],
      Object.entries(protocol.reasons).map(([reason, { summary }]) => [code(reason), summary]),
      "Why policy answered, as in the log and the metrics. For a follow-up, `follow-up: ` stands before the reason.",
    ),
    section(
      "Causes",
      ["cause", "reported by", "meaning"],
      Object.values(protocol.causes).map(({ text, by, summary }) => [code(text), by, summary]),
      "Why a process or a thread has ended: the log line begins with these words, and the metrics have them as a label. For exit codes and signals the label is `exit code 1` or `killed by SIGKILL`; for anything else it is `other`.",
    ),
    `## Definitions\n\n${Object.entries(protocol.definitions).map(renderDefinition(protocol)).join("\n")}`,
  ].join("\n");
}

export function section(title: string, head: Row, rows: readonly Row[], text = ""): string {
  return `## ${title}\n\n${text && `${text}\n\n`}${table(head, rows)}`;
}

function renderMessages(title: string, from: Message["from"], protocol: Protocol): string {
  const sent = Object.entries(protocol.messages).filter(([, message]) => message.from === from);
  const requests = sent.filter(([, { kind }]) => kind === "request");
  const notifications = sent.filter(([, { kind }]) => kind === "notification");
  const link = (type: string | undefined) => linkTo(type ?? "", protocol);
  const methodOf = ([method, { of }]: readonly [string, Message]) =>
    of === undefined ? code(method) : `${code(method)} (see \`${of}\`)`;
  return `## ${title}

Requests:

${table(
  ["method", "params", "result", "errors", "meaning"],
  requests.map((one) => {
    const [, { params, result, errors = [], summary }] = one;
    return [methodOf(one), link(params), link(result), errors.map(code).join(", "), summary];
  }),
)}
Notifications:

${table(
  ["method", "params", "meaning"],
  notifications.map((one) => [methodOf(one), link(one[1].params), one[1].summary]),
)}`;
}

export function numberRows(numbers: Protocol["limits"]): Row[] {
  return Object.entries(numbers).map(([name, { value, summary }]) => [
    code(name),
    value.toLocaleString("en"),
    summary,
  ]);
}

function recordRows(protocol: Protocol): Row[] {
  return Object.entries(protocol.records).map(([kind, { holds, summary }]) => [
    code(kind),
    linkTo(holds, protocol),
    summary,
  ]);
}

function errorRows(protocol: Protocol): Row[] {
  return Object.entries(protocol.errors).map(([name, { code: number, data, thrown_as, summary }]) => [
    code(name),
    String(number),
    Object.entries(data)
      .map(([key, type]) => `${code(key)}: ${linkTo(type, protocol)}`)
      .join(", "),
    thrown_as ? code(thrown_as) : "",
    summary,
  ]);
}

/** To its section, where there is one. */
export function linkTo(type: string, { definitions }: Definitions): string {
  const name = type.replace(/\?$/, "");
  return Object.hasOwn(definitions, name)
    ? `[${name}](#${name.toLowerCase()})${type.slice(name.length)}`
    : type;
}

export function renderDefinition(protocol: Definitions): (entry: [name: string, schema: Schema]) => string {
  return ([name, schema]) => {
    const fields = fieldsOf(schema, "", protocol);
    const type = schema.properties ? "" : `\nType: ${describe(schema, protocol)}.\n`;
    const listed = fields.length === 0 ? type : `\n${table(["field", "type", "meaning"], fields)}`;
    return `### ${name}\n\n${schema.description}\n${listed}`;
  };
}

/** Those of objects within it, too. */
function fieldsOf({ properties = {}, required = [] }: Schema, at: string, protocol: Definitions): Row[] {
  return Object.entries(properties).flatMap(([key, field]) => {
    const name = `${at}${key}`;
    const optional = required.includes(key) ? "" : "?";
    const description = field.description ?? "";
    const byDefault = "default" in field ? ` By default ${code(JSON.stringify(field.default))}.` : "";
    const row = [code(name + optional), describe(field, protocol), `${description}${byDefault}`.trim()];
    return [row, ...fieldsOf(field, `${name}.`, protocol)];
  });
}

/** A type in words. */
function describe(schema: Schema, protocol: Definitions): string {
  if (schema.$ref !== undefined) return linkTo(schema.$ref.split("#/definitions/")[1] ?? "", protocol);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(" or ");
  if (schema.anyOf) return schema.anyOf.map((one) => describe(one, protocol)).join(" or ");
  const types = [schema.type ?? []].flat();
  return types.length === 0
    ? "any JSON"
    : types.map((type) => describeKind(type, schema, protocol)).join(" or ");
}

function describeKind(type: string, schema: Schema, protocol: Definitions): string {
  const { items, additionalProperties, properties } = schema;
  if (type === "array" && Array.isArray(items))
    return `[${items.map((item) => describe(item, protocol)).join(", ")}]`;
  if (type === "array") return `list of ${describe((items ?? {}) as Schema, protocol)}`;
  if (type === "object" && !properties && additionalProperties)
    return `object of ${describe(additionalProperties, protocol)}`;
  if (type === "object" && properties) return code(`{ ${Object.keys(properties).join(", ")} }`);
  return type;
}

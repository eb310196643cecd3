// Writes the TSDoc of generated types: what a callback, a method of the ModuleApi or a wire type is, where Synapse has it, and
// an example. Pure text, no files.
import {
  type ApiMethod,
  type ApiProperty,
  grantsFor,
  type WireType,
} from "../../bridge/catalogue/catalogue.js";
import { docComment } from "./doc-comment.js";
import { exampleOf } from "./examples.js";
import { code, describe, isPlain, sentence } from "./markdown.js";
import { factsOf } from "./render-callbacks.js";
import type { DeclaredCallback, Sources } from "./sources.js";
import { sinceText } from "./type-text.js";

const SYNAPSE_DOCS = "https://element-hq.github.io/synapse/latest/modules";

/** The pages of Synapse's documentation that are not called after their category. */
const PAGES: Readonly<Record<string, string>> = {
  add_extra_fields_to_unsigned_client_event: "add_extra_fields_to_client_events_unsigned.html",
};

/** Synapse's classes for the groups of the ModuleApi. */
const CLASSES: Readonly<Record<string, string>> = {
  account_data_manager: "AccountDataManager",
  public_room_list_manager: "PublicRoomListManager",
  http_client: "SimpleHttpClient",
};

const STORE =
  "Keys and values of this module in Synapse's database, which all processes of Synapse share. A value is any JSON.";

export function callbackComment(callback: DeclaredCallback, sources: Sources): string {
  const facts = factsOf(callback, sources)
    .filter((fact) => !/^\*\*(Always allowed|Quarantine)/.test(fact))
    .map((fact) => `- ${withoutLinks(fact)}`);
  return docComment([callback.summary, facts.join("\n"), inSynapse(callback)], {
    place: "callbacks",
    code: `${exampleOf(callback, sources)},`,
  });
}

function inSynapse({ name, category, since, undocumented }: DeclaredCallback): string {
  const page = PAGES[category] ?? `${category}_callbacks.html#${name}`;
  const where = undocumented
    ? "Synapse's documentation does not describe it."
    : `See ${SYNAPSE_DOCS}/${page}.`;
  return `Since Synapse ${since}. A Python module registers it with \`register_${category}_callbacks\`. ${where}`;
}

export function methodComment(path: string, method: ApiMethod, sources: Sources): string {
  const { summary, result, access, process, added, since, example } = method;
  const isShown = result !== "Nothing" && !isPlain(result) && !method.tsType;
  const facts = [
    access === "write" && `Needs the grant ${grantsFor(path, method).map(code).join(" or ")}.`,
    process && `Works only in ${sources.processes[process]}.`,
    // Node answers those that are not asynchronous, whatever Synapse has.
    access !== "sync" && sinceText(since),
    added ? "The bridge adds this method to the ModuleApi." : `In Synapse: \`${synapseMethod(path)}\`.`,
  ];
  const text = isShown ? describe(result, sources) : "";
  return docComment([summary, text && `Result: ${text}`, facts.filter(Boolean).join(" ")], {
    place: "handler",
    code: example,
  });
}

/** Of a group of methods. */
export function groupComment(name: string): string {
  const { [name]: className } = CLASSES;
  if (className === undefined) return docComment([STORE]);
  return docComment([`In Synapse: \`${className}\`.`]);
}

function synapseMethod(path: string): string {
  const [first = "", second] = path.split(".");
  return second === undefined ? `ModuleApi.${first}` : `${CLASSES[first]}.${second}`;
}

export function propertyComment(name: string, { since, summary, example }: ApiProperty): string {
  const facts = [sinceText(since), `In Synapse: \`ModuleApi.${name}\`.`];
  return docComment([summary, facts.filter(Boolean).join(" ")], { place: "handler", code: example });
}

export function typeComment(name: string, type: WireType, sources: Sources): string {
  const { source, example } = type;
  const text = [describe(name, sources), source && `In Synapse: \`${source}\`.`];
  if (example === undefined) return docComment(text as string[]);
  const variable = name.charAt(0).toLowerCase() + name.slice(1);
  return docComment(text as string[], { place: "value", code: `const ${variable}: ${name} = ${example};` });
}

/** What a parameter is: the first sentence about its type, and what is said of this parameter. */
export function parameterComment(type: string, note: string | undefined, sources: Sources): string {
  const [ofType = ""] = isPlain(type) ? [] : (/^.*?\.(?= |$)/.exec(describe(type, sources)) ?? []);
  const text = [ofType, sentence(note)].filter(Boolean).join(" ");
  return text === "" ? "" : docComment([text]);
}

function withoutLinks(text: string): string {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}

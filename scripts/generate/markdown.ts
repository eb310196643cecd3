// What the reference pages have in common: tables, and how a type and its description are shown. Pure text, no files.

import type { Sources } from "./sources.js";
import { documentedTypes } from "./type-declarations.js";
import { typeText } from "./type-text.js";

export type Row = readonly string[];

export const code = (text: string) => `\`${text}\``;

export function table(head: Row, rows: readonly Row[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
  return lines.join("");
}

/** The parameters as the catalogue declares them: in a table where there is more to say than their types. */
export function parameters(
  params: Readonly<Record<string, string>>,
  notes: Readonly<Record<string, string>>,
  sources: Sources,
): string {
  const rows = Object.entries(params).map(([name, type]) => [
    code(name),
    typeLink(type, sources),
    [ownMeaning(type, sources), sentence(notes[name.replace(/\?$/, "")])].filter(Boolean).join(" "),
  ]);
  if (rows.some(([, , meaning]) => meaning)) return table(["parameter", "type", "meaning"], rows).trimEnd();
  return `**Parameters**: ${rows.map(([name, type]) => `${name} (${type})`).join(", ")}`;
}

/** A note as a sentence. */
export function sentence(note = ""): string {
  return note && `${note.charAt(0).toUpperCase()}${note.slice(1)}.`;
}

const PLAIN = ["Text", "Flag", "Integer", "Json", "JsonObject", "Bytes"];

/** Whether a type says all about itself by its TypeScript name. */
export function isPlain(type: string): boolean {
  return PLAIN.includes(type.replace(/\?$/, ""));
}

/** Of a wire type that has no TypeScript type of its own: types.md does not describe it. */
function ownMeaning(type: string, sources: Sources): string {
  const name = type.replace(/\?$/, "");
  return isPlain(name) || typeText(name, sources) === name ? "" : describe(name, sources);
}

/** The names of callbacks or methods lead to them. */
export function withLinks(text: string, names: readonly string[]): string {
  return text.replace(/`([\w.]+)`/g, (quoted, name) =>
    names.includes(name) ? `[${quoted}](#${anchor(name)})` : quoted,
  );
}

/** Of a heading that is a name in code font. */
export const anchor = (name: string) => name.replaceAll(".", "");

/** A type by its TypeScript name, with a link to where types.md declares it. */
export function typeLink(type: string, sources: Sources): string {
  if (type.endsWith("?")) return `${typeLink(type.slice(0, -1), sources)} or \`null\``;
  const name = typeText(type, sources);
  return documentedTypes(sources).has(name) ? `[\`${name}\`](types.md#${name.toLowerCase()})` : code(name);
}

/** What a type is, without how it travels: that is for those who write a host. */
export function describe(type: string, sources: Sources): string {
  const description = sources.types[type.replace(/\?$/, "")]?.description ?? "";
  return description.replace(/ On the wire:.*/s, "");
}

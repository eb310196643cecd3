// Finds the declarations of the types that authors see in the texts of the SDK's files. Pure text, no files.
import type { Sources } from "./sources.js";

/** A comment, if there is one, and an exported type or enum: up to the empty line after it. */
const DECLARATION =
  /^(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:interface|type|enum) (\w+)[\s\S]*?(?=\n\n|\n*$(?![\s\S]))/gm;

// Of the generated files, what stands for all callbacks at once.
const LISTS = ["CallbackParams", "CallbackResults", "Api", "ApiWrites", "NotSpam"];

/** By name, in the order of the alphabet. */
export function declarationsIn(texts: readonly string[]): ReadonlyMap<string, string> {
  const found = texts.flatMap((text) => [...text.matchAll(DECLARATION)]);
  const declared = found.map(([text, name = ""]) => [name, text.replace(/^export /m, "")] as const);
  return new Map(declared.filter(([name]) => !LISTS.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

let known: { sources: Sources; names: ReadonlySet<string> } | undefined;

/** The names that types.md has a section for. */
export function documentedTypes(sources: Sources): ReadonlySet<string> {
  if (known?.sources !== sources) {
    const declared = Object.entries(sources.types).filter(([, { tsType }]) => !/^\w+$/.test(tsType ?? ""));
    const byHand = declarationsIn(sources.sdk).keys();
    known = { sources, names: new Set([...declared.map(([name]) => name), ...byHand]) };
  }
  return known.names;
}

/** A declaration without the example in its comment, and the example. */
export function splitExample(declaration: string): { text: string; example: string | undefined } {
  const [whole, code] = /^ \* @example\n \* ```ts[^\n]*\n([\s\S]*?) \* ```\n/m.exec(declaration) ?? [];
  if (whole === undefined) return { text: declaration, example: undefined };
  const text = declaration.replace(whole, "").replace(/^\/\*\*\n \* (.*)\n \*\/$/m, "/** $1 */");
  return { text, example: code?.replace(/^ \* ?/gm, "").trimEnd() };
}

// Names the TypeScript types of the catalogue's wire types. Pure text, no files.
import type { Callback, WireType } from "../../bridge/catalogue/catalogue.js";
import type { Sources } from "./sources.js";

/** The head of every generated file. */
export const GENERATED = "Generated from schemas/ by `npm run generate`: do not edit.";

/** The TypeScript type that a name of the catalogue stands for; a `?` at its end means "or null". */
export function typeText(name: string, sources: Sources): string {
  if (name.endsWith("?")) return `${typeText(name.slice(0, -1), sources)} | null`;
  const definition = sources.types[name];
  if (definition === undefined) throw new Error(`types.json has no definition ${name}`);
  return isInlined(definition) ? String(definition.tsType) : name;
}

/** A definition that only names a TypeScript type needs no declaration of its own. */
export function isInlined(definition: WireType): boolean {
  return /^\w+$/.test(definition.tsType ?? "");
}

/** Undefined for what every supported Synapse has. */
export const sinceText = (since: string | undefined) => since && `Since Synapse ${since}.`;

/** The parameters of a callback, with a ? after the names of those that older Synapses do not give. */
export function paramsOfAll({
  params,
  params_since = {},
}: Pick<Callback, "params" | "params_since">): Record<string, string> {
  const entries = Object.entries(params);
  return Object.fromEntries(entries.map(([name, type]) => [name in params_since ? `${name}?` : name, type]));
}

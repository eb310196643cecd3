// Writes what the catalogue needs for something new of Synapse: text to paste, and what it leaves to decide.
import type { ApiMethod } from "../../bridge/catalogue/catalogue.js";
import type { DeclaredCallback, Policy, Sources } from "../generate/sources.js";
import type { OfferedCallback, OfferedMethod, OfferedProperty } from "./installed.js";
import { longestForm, paramsOf } from "./signature.js";
import { wireTypesFor } from "./wire-types.js";

export interface Addition {
  /** The file that takes it, and the place in it. */
  readonly into: string;
  readonly text: string;
  /** What Synapse does not tell, so that it is a proposal. */
  readonly decide: readonly string[];
}

/** What an entry is made from, beside what Synapse offers. */
export interface Context {
  readonly declared: Pick<Sources, "callbacks" | "methods" | "types">;
  /** Since when it exists, if Synapse does not say. */
  readonly release: string;
}

const SINCE = "since: the first release that has it";

export function callbackEntry(
  name: string,
  category: string,
  offered: OfferedCallback,
  context: Context,
): Addition {
  const decide = ["summary: when Synapse asks, seen from a user", SINCE];
  const params = proposeParams(offered, context, decide);
  const { result, failure } = proposeAnswer(category, offered, context, decide);
  const subject = subjectOf(params);
  const entry = {
    category,
    since: context.release,
    summary: sentence(offered.told, `Synapse calls ${name}.`),
    params,
    ...(subject === undefined ? {} : { subject }),
    result,
    on_failure: failure,
  };
  decide.push("subject and author: whose doing it is, and who is set aside if it ends Node");
  if (!context.declared.callbacks.some((one) => one.category === category)) {
    decide.push(`category: catalogue.schema.json lists them, and ${category} is new`);
  }
  const lines = Object.entries(entry).map(([key, value]) => `    ${JSON.stringify(key)}: ${compact(value)}`);
  const text = `  ${JSON.stringify(name)}: {\n${lines.join(",\n")}\n  },`;
  return { into: "callbacks.json", text, decide };
}

/** For a callback that has got more parameters. */
export function paramsEntry(
  declared: DeclaredCallback,
  offered: OfferedCallback,
  context: Context,
): Addition {
  const decide: string[] = [];
  const proposed = Object.entries(proposeParams(offered, context, decide));
  const mine = Object.entries(declared.params);
  // Synapse adds them at the end: functions that take fewer must go on to work.
  const params = Object.fromEntries([...mine, ...proposed.slice(mine.length)]);
  const since = Object.fromEntries(proposed.slice(mine.length).map(([name]) => [name, context.release]));
  const text = [
    `    "params": ${compact(params)},`,
    `    "params_since": ${compact({ ...declared.params_since, ...since })},`,
  ].join("\n");
  decide.push("params_since: the first release that gives it");
  return { into: `callbacks.json, ${declared.name}`, text, decide };
}

export function memberEntry(
  name: string,
  offered: OfferedMethod | OfferedProperty,
  context: Context,
): Addition {
  if (offered.kind === "property") return propertyEntry(name, offered, context);
  if (Object.values(offered.params).some((param) => param.function || param.many)) {
    return absentEntry(name, context);
  }
  const decide = ["access, summary and example", "secret: whether it has passwords, tokens or registrations"];
  if (!offered.since) decide.push(SINCE);
  const params = proposeMethodParams(offered, context, decide);
  const result = propose("its result", undefined, offered.result, context, decide);
  const names = Object.keys(params).filter((param) => !param.endsWith("?"));
  const entry = {
    access: /(^|\.)(get|is|check|lookup|has|list)_/.test(name) ? "read" : "write",
    since: offered.since ?? context.release,
    params,
    result,
    summary: sentence(offered.told, `Calls Synapse's ${name}.`),
    example: `await api.${name}(${names.length > 0 ? `{ ${names.join(", ")} }` : ""});`,
  };
  return { into: "api.json, methods", text: `    ${JSON.stringify(name)}: ${compact(entry)},`, decide };
}

/** For a method that has got more parameters. */
export function methodParamsEntry(
  name: string,
  declared: ApiMethod,
  offered: OfferedMethod,
  context: Context,
): Addition {
  const decide: string[] = [];
  const known = new Map(Object.entries(declared.params).map(([key, type]) => [key.replace(/\?$/, ""), type]));
  const proposed = proposeMethodParams(offered, context, decide, known);
  const added = Object.keys(offered.params).filter((param) => !known.has(param));
  const since = Object.fromEntries(added.map((param) => [param, context.release]));
  const text = `"params": ${compact(proposed)}, "params_since": ${compact({ ...declared.params_since, ...since })},`;
  decide.push("params_since: the first release that takes it");
  return { into: `api.json, ${name}`, text, decide };
}

export function codeEntry(name: string, value: string, { release }: Context): Addition {
  const text = `  ${JSON.stringify(name)}: ${compact({ value, since: release })},`;
  return { into: "codes.json", text, decide: [SINCE] };
}

function propertyEntry(name: string, { type, told, since }: OfferedProperty, { release }: Context): Addition {
  const decide = ["summary and example", ...(since ? [] : [SINCE])];
  const [wireType = className(type ?? "Json")] = type === null ? ["Json"] : wireTypesFor(type);
  if (type === null) decide.push("type: Synapse has no hint");
  const entry = {
    since: since ?? release,
    type: wireType,
    summary: sentence(told, `Synapse's ${name}.`),
    example: `const value = api.${name};`,
  };
  return { into: "api.json, properties", text: `    ${JSON.stringify(name)}: ${compact(entry)},`, decide };
}

function absentEntry(name: string, { release }: Context): Addition {
  const callbacks = /^register_\w+_callbacks$/.test(name);
  const why = callbacks
    ? "It takes functions. Declare the callbacks under `callbacks` in defineModule."
    : "It takes a function.";
  const decide = callbacks ? [SINCE] : ["what modules use instead", SINCE];
  const text = `    ${JSON.stringify(name)}: ${compact({ since: release, why })},`;
  return { into: "api.json, absent", text, decide };
}

/** The parameters in Synapse's order, with the names that they have where Synapse gives them. */
function proposeParams(offered: OfferedCallback, context: Context, decide: string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [index, { name: told, hint = "Any" }] of paramsOf(offered).entries()) {
    const given = told?.replace(/^_+/, "");
    const name = given && !Object.hasOwn(params, given) ? given : `param_${index + 1}`;
    if (name !== given) decide.push(`${name}: Synapse's sources tell no name`);
    params[name] = propose(name, name, hint, context, decide);
  }
  return params;
}

function proposeMethodParams(
  offered: OfferedMethod,
  context: Context,
  decide: string[],
  known: ReadonlyMap<string, string> = new Map(),
): Record<string, string> {
  const pairs = Object.entries(offered.params).map(([name, { type, optional }]) => [
    optional ? `${name}?` : name,
    known.get(name) ?? propose(name, name, type, context, decide),
  ]);
  return Object.fromEntries(pairs);
}

/** The wire type for a hint: that of other parameters of this name, or the first one that stands for the hint. */
function propose(
  what: string,
  name: string | undefined,
  hint: string,
  { declared }: Context,
  decide: string[],
): string {
  const fitting = wireTypesFor(hint).filter((type) => !isAnswer(plain(type), declared) || type === "Nothing");
  if (fitting.length === 0) decide.push(unknownHint(what, hint));
  const entries = [...declared.callbacks, ...declared.methods.map(([, method]) => method)];
  const params = entries.flatMap((entry) => Object.entries(entry.params)).map((pair) => pair.map(plain));
  const isLike = (own: string) => [own === name, name?.endsWith(`_${own}`)]; // `target_user_id` is like `user_id`
  const used = [0, 1].flatMap((degree) => params.filter(([own = ""]) => isLike(own)[degree]));
  const [, usual] = used.find(([, type]) => fitting.some((one) => plain(one) === type)) ?? [];
  return fitting.find((type) => plain(type) === usual) ?? fitting[0] ?? className(hint);
}

/** Only answers say which of their values let everything pass. */
const isAnswer = (type: string, { types }: Context["declared"]) => types[type]?.pass !== undefined;

const plain = (name: string) => name.replace(/\?$/, "");

/** The answer, and what stands for it after a failure: as that of a callback that answers the same, best of the same category. */
function proposeAnswer(category: string, offered: OfferedCallback, { declared }: Context, decide: string[]) {
  const hint = longestForm(offered)?.result ?? "Any";
  const fitting = wireTypesFor(hint).filter((type) => isAnswer(type, declared));
  const answering = declared.callbacks.filter(({ result }) => fitting.includes(result));
  const near = answering.filter((one) => one.category === category);
  const usual = fitting.find((type) => near.some(({ result }) => result === type));
  const result = usual ?? fitting[0] ?? className(hint);
  const others = fitting.filter((type) => type !== result).map((type) => `, or ${type}`);
  decide.push(`result and on_failure: what an answer and a failure mean (${result}${others.join("")})`);
  if (fitting.length === 0) decide.push(unknownHint("result", hint));
  const like = [...near, ...answering].find((one) => one.result === result);
  const policies: readonly (Policy | "default")[] = ["default", "allow", "deny", "defer"];
  const failure = policies.flatMap((key) => {
    const means = like?.on_failure[key];
    return means === undefined ? [] : [[key, means] as const];
  });
  return { result, failure: like ? Object.fromEntries(failure) : { default: "allow", allow: "pass" } };
}

const unknownHint = (what: string, hint: string) =>
  `${what}: neither types.json nor scripts/drift/wire-types.ts has something for Synapse's hint, ${hint}`;

function subjectOf(params: Readonly<Record<string, string>>): string | undefined {
  const user = Object.entries(params).find(([, type]) => type === "UserId");
  if (user) return user[0];
  const event = Object.entries(params).find(([, type]) => type === "Event");
  return event && `${event[0]}.sender`;
}

/** A name for a wire type that is not there yet: the first class of the hint. */
function className(hint: string): string {
  return (
    /[A-Z][A-Za-z]*/.exec(hint.replaceAll(/\b(?:Any|None|Iterable|Mapping|Collection)\b/g, ""))?.[0] ?? "Json"
  );
}

/** Ends with a full stop, as the catalogue wants it. */
function sentence(told: string | null | undefined, otherwise: string): string {
  if (!told) return otherwise;
  return /[.?]$/.test(told) ? told : `${told}.`;
}

/** JSON in one line, as the catalogue has it. */
function compact(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(compact).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${compact(inner)}`);
  return `{${pairs.join(", ")}}`;
}

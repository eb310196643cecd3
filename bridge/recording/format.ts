// The lines of a recording: their types, and what a line of another version is. Each line is complete in itself, so that a
// part of a recording, as grep gives it, is a recording.
import { createHash } from "node:crypto";
import { exactJson } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { ErrorData, ErrorName, SynapseInfo } from "../catalogue/protocol.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import type { CallError } from "../transport/call-error.js";

/** Rises if a reader of before would take a line for something else. */
export const FORMAT = 1;
// In characters. A longer line is not written: it would fill the folder with one call.
export const MOST_LINE = 1024 * 1024;

/** What a module was asked, what it was told meanwhile, and what it answered. */
export interface RecordedCall extends Common {
  callback: string;
  /** Synapse's request id. */
  request: string | null;
  /** As on the wire, but without the room's state. A media file is only a path. */
  params: Record<string, unknown>;
  state?: RecordedState;
  api?: RecordedApi[];
  verdict: Verdict;
  /** The text that the module gave to `context.reason`. */
  reason?: string;
  /** How long the handler took. */
  ms: number;
}

/** A call of the api outside of callbacks. */
export interface RecordedOutside extends Common {
  /** `setup`: while the module set up. `later`: at another time, such as in a timer. */
  during: "setup" | "later";
  api: RecordedApi[];
}

export type RecordedLine = RecordedCall | RecordedOutside;

interface Common {
  recording: typeof FORMAT;
  /** When it began, as Date.toISOString gives it. */
  at: string;
  module: string;
  versions: Versions;
  synapse: SynapseInfo;
}

export interface Versions {
  bridge: string;
  node: string;
  /** SHA-256 of the contents of the module's files. */
  files: string;
  /** SHA-256 of the module's config, as JSON. */
  config: string;
}

/** The part of the room's state that the module could see or has asked for. */
export interface RecordedState {
  /** The keys of which `events` has all events that the room has; `all` for every key. */
  keys: StateKey[] | "all";
  events: Event[];
  /** The answer of `state_events.keys()`. */
  names?: (readonly [string, string])[];
}

/** A request of the api as it travels, with its answer or its error. */
export type RecordedApi = { method: string; params: unknown } & (
  | { answer: unknown }
  | { error: { kind: ErrorName | null; message: string; data: Record<string, unknown> } }
);

export type Verdict =
  /** What the host would tell the shim. */
  | { answer: unknown }
  | { error: { code: number; errcode: string; msg: string } }
  | { fault: "threw" | "answer"; message: string }
  /** No answer within the deadline. */
  | { unavailable: "deadline" };

/** The verdict of a call that has failed so. */
export function verdictOf(failure: CallError): Verdict {
  if (failure.kind === "synapse_error") {
    const { code, errcode, msg } = failure.data as ErrorData["synapse_error"];
    return { error: { code, errcode, msg } };
  }
  if (failure.kind === "cancelled") return { unavailable: "deadline" };
  const { kind } = failure.data as Partial<ErrorData["module_fault"]>;
  return { fault: kind ?? "threw", message: failure.message };
}

/** What it would not do to record: undefined for callbacks that may be recorded. */
export function whyUnrecorded({ secret, unrecorded }: Callback): string | undefined {
  return secret ? "passwords or tokens" : unrecorded;
}

/** Whether a method of the api must not be recorded. `path` may be a step of a transaction. */
export function isSecretMethod(path: string, catalogue: Catalogue): boolean {
  const [method = ""] = path.split("/");
  return catalogue.methods.get(method)?.secret === true;
}

// The keys under which Matrix has passwords and tokens: a request for a room has that of an identity server, for instance.
const SECRET_KEYS = new Set(
  (
    "password new_password access_token id_access_token refresh_token login_token registration_token " +
    "client_secret"
  ).split(" "),
);
const MAY_HOLD_SECRETS = new RegExp(`"(?:${[...SECRET_KEYS].join("|")})":`);
const LEFT_OUT = "(never recorded)";

/** The JSON of a value, with the passwords and tokens left out that it has by their names in Matrix. */
export function recordedJson(value: unknown): string {
  const json = exactJson(value);
  if (!MAY_HOLD_SECRETS.test(json)) return json;
  const copy: unknown = JSON.parse(json);
  const open = [copy];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== "object" || one === null) continue;
    const object = one as Record<string, unknown>;
    for (const key of Object.keys(object))
      if (SECRET_KEYS.has(key)) object[key] = LEFT_OUT;
      else open.push(object[key]);
  }
  return exactJson(copy);
}

/** Tells whether a value's JSON may fit into `most` characters, without writing it. It looks at no more than about that much. */
export function mayFit(value: unknown, most: number): boolean {
  let left = most;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    left -= typeof one === "string" ? one.length + 2 : 1;
    if (left < 0) return false;
    if (typeof one !== "object" || one === null) continue;
    const values = Array.isArray(one) ? one : Object.values(one);
    // Before they are copied: a list may have millions.
    left -= values.length;
    if (left < 0) return false;
    for (const inner of values) open.push(inner);
    if (!Array.isArray(one)) for (const key of Object.keys(one)) left -= key.length;
  }
  return left >= 0;
}

export function digest(value: unknown): string {
  return createHash("sha256")
    .update(exactJson(value ?? null))
    .digest("hex");
}

/** The line, or why it cannot be read. */
export function readLine(text: string): RecordedLine | Unreadable {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return "broken";
  }
  if (!isObject(line) || !Object.hasOwn(line, "recording")) return "foreign";
  if (line.recording !== FORMAT) {
    const { versions } = line;
    const by = isObject(versions) && typeof versions.bridge === "string" ? versions.bridge.slice(0, 40) : "";
    return { format: line.recording, bridge: by };
  }
  return isSound(line) ? (line as unknown as RecordedLine) : "foreign";
}

/** `broken`: no JSON. `foreign`: no line of a recording. */
export type Unreadable = "broken" | "foreign" | { format: unknown; bridge: string };

// As Date.toISOString gives it. Date.parse would take other texts, too, and their order is not that of the times.
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function isSound(line: Record<string, unknown>): boolean {
  const { at, module, versions, synapse, callback, during, api = [] } = line;
  return (
    typeof at === "string" &&
    TIME.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    typeof module === "string" &&
    hasTexts(versions, ["bridge", "node", "files", "config"]) &&
    hasTexts(synapse, ["version", "server_name"]) &&
    Array.isArray(api) &&
    api.every(isSoundApi) &&
    (isSoundCall(line) || (callback === undefined && typeof during === "string"))
  );
}

function isSoundCall({ callback, params, verdict, state, ms, request }: Record<string, unknown>): boolean {
  return (
    typeof callback === "string" &&
    (request === null || typeof request === "string") &&
    isObject(params) &&
    isSoundVerdict(verdict) &&
    typeof ms === "number" &&
    Number.isFinite(ms) &&
    isSoundState(state)
  );
}

function isSoundVerdict(verdict: unknown): boolean {
  if (!isObject(verdict)) return false;
  if (Object.hasOwn(verdict, "answer")) return true;
  const { error, fault } = verdict;
  if (error !== undefined)
    return hasTexts(error, ["errcode", "msg"]) && typeof (error as { code?: unknown }).code === "number";
  if (fault !== undefined) return (fault === "threw" || fault === "answer") && hasTexts(verdict, ["message"]);
  return verdict.unavailable === "deadline";
}

function isSoundApi(one: unknown): boolean {
  if (!hasTexts(one, ["method"])) return false;
  if (Object.hasOwn(one, "answer")) return true;
  const { error } = one;
  return hasTexts(error, ["message"]) && isObject(error.data) && isTextOrNull(error.kind);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

function hasTexts(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  return isObject(value) && names.every((name) => typeof value[name] === "string");
}

function isSoundState(state: unknown): boolean {
  if (state === undefined) return true;
  if (!isObject(state) || !Array.isArray(state.events) || !state.events.every(isObject)) return false;
  const { keys, names = [] } = state;
  const isPair = (pair: unknown) => Array.isArray(pair) && typeof pair[0] === "string";
  return (
    (keys === "all" || (Array.isArray(keys) && keys.every(isPair))) &&
    Array.isArray(names) &&
    names.every(isPair)
  );
}

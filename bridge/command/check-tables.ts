// Formats what `check` prints about modules: who is asked, when, in which process, and what happens after a failure.

import { formatDuration } from "../base/duration.js";
import { formatTable } from "../base/table.js";
import type { Callback, Catalogue, FailurePolicy } from "../catalogue/catalogue.js";
import type { Conditions, ConfiguredModule } from "../catalogue/protocol.js";
import {
  DEPENDS_ON_CONFIG,
  type ListedChecker,
  type ListedEntry,
  type ListedModule,
} from "../declarations/module.js";

const ORIGINS = ["local", "federated"] as const;
type ByOrigin<Value> = Readonly<Record<(typeof ORIGINS)[number], Value>>;
const UNKNOWN = "(depends on config)";

export type ShownModule = Pick<ListedModule, "name" | "callbacks" | "web_resources" | "broadcasts"> & {
  mode?: ConfiguredModule["mode"];
  isolated?: boolean;
};

/** The terms of a callback under the settings of homeserver.yaml, which the shim has worked out. */
export interface CallbackTerms {
  policy: ByOrigin<string>;
  timeout_ms: ByOrigin<number>;
  /** The processes of Synapse that ask it. Empty if all do. */
  processes: string[];
}

/** `terms` are by callback. Without a homeserver.yaml there are none. */
export function callbackTable(
  modules: ShownModule[],
  catalogue: Catalogue,
  terms?: Readonly<Record<string, CallbackTerms>>,
): string {
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const callback of catalogue.callbacks.values()) {
    const asked = modules.filter(({ callbacks }) => callbacks.has(callback.name));
    const own = terms?.[callback.name];
    if (own && ORIGINS.some((origin) => hasExceptions(own.policy[origin], callback)))
      for (const text of describeExceptions(callback.on_failure))
        notes.push(`  * ${callback.name}: ${text}\n`);
    for (const [order, module] of asked.entries()) {
      const entry = module.callbacks.get(callback.name) ?? {};
      const { checkers = [entry] } = entry;
      for (const [place, one] of (checkers === DEPENDS_ON_CONFIG ? [entry] : checkers).entries()) {
        // The columns about the callback itself are filled only in its first row.
        const isFirst = order + place === 0;
        const last = !terms ? [] : own && isFirst ? describeTerms(own, callback) : ["", "", ""];
        rows.push([
          isFirst ? callback.name : "",
          module.name + describeThread(module),
          describeMatch(one),
          describeState(one),
          describeKept(one),
          ...last,
        ]);
      }
    }
  }
  if (rows.length === 0) return "No callbacks.";
  const header = ["callback", "asked, in order", "only if", "room state sent", "kept for"];
  if (terms) header.push("if it fails", "timeout", "process");
  return `\n${formatTable(header, rows)}\n${notes.join("")}`;
}

export function resourceTable(modules: ShownModule[]): string {
  const rows = modules.flatMap(({ name, web_resources }) =>
    (web_resources === DEPENDS_ON_CONFIG ? [UNKNOWN] : web_resources).map((path) => [path, name]),
  );
  return rows.length === 0 ? "No web resources.\n" : `${formatTable(["web resource", "module"], rows)}\n`;
}

/** Empty if no module receives broadcasts. */
export function broadcastTable(modules: ShownModule[]): string {
  const rows = modules.flatMap(({ name, broadcasts }) => broadcasts.map((topic) => [topic, name]));
  return rows.length === 0 ? "" : `${formatTable(["broadcast", "module"], rows)}\n`;
}

/** Says in which thread a module runs, if not on the main thread. */
function describeThread({ mode, isolated }: ShownModule): string {
  if (mode === "off") return " (off)";
  const shadow = mode === "shadow";
  if (isolated) return shadow ? " (shadow, in a thread of its own)" : " (in a thread of its own)";
  return shadow ? " (shadow, in the thread of the shadow modules)" : "";
}

function describeMatch(entry: ListedEntry | ListedChecker): string {
  if ("checkers" in entry && entry.checkers === DEPENDS_ON_CONFIG) return UNKNOWN;
  const { match = {} } = entry;
  const login =
    "login_type" in entry ? [`${entry.login_type} by ${entry.fields.join(" and ") || "nothing"}`] : [];
  if (match === DEPENDS_ON_CONFIG) return [...login, UNKNOWN].join("; ");
  const { not, local, ...conditions } = match;
  const parts = login.concat(describeConditions(conditions as Conditions, ""));
  if (not) parts.push(...describeConditions(withoutEmpty(not), "not "));
  if (local !== undefined) parts.push(local ? "local" : "not local");
  return parts.join("; ") || "-";
}

/** An empty list fits nothing, so that it excludes nothing. */
const withoutEmpty = (conditions: Conditions): Conditions =>
  Object.fromEntries(
    Object.entries(conditions).filter(([, wanted]) => !Array.isArray(wanted) || wanted.length > 0),
  ) as Conditions;

function describeConditions(conditions: Conditions, prefix: string): string[] {
  return Object.entries(conditions).map(([path, wanted]) => {
    const values = Array.isArray(wanted) ? wanted.join(" | ") || "(nothing)" : String(wanted);
    return `${prefix}${path}: ${values}`;
  });
}

/** How long its answers are cached. */
function describeKept(entry: ListedEntry | ListedChecker): string {
  if (!("login_type" in entry) && entry.fields !== undefined) return "no call";
  if (entry.ttl === DEPENDS_ON_CONFIG) return UNKNOWN;
  return entry.ttl === undefined ? "-" : formatTtl(entry.ttl);
}

function describeState(entry: ListedEntry | ListedChecker): string {
  const { room_state = [] } = "login_type" in entry ? {} : entry;
  return room_state.map(([type, key]) => (key === "" ? type : `${type}/${key ?? "*"}`)).join(", ") || "-";
}

function hasExceptions(policy: string, { on_failure }: Callback): boolean {
  return on_failure.exceptions?.some((exception) => exception.policy !== policy) ?? false;
}

function describeTerms({ policy, timeout_ms, processes }: CallbackTerms, callback: Callback): string[] {
  const policies = ORIGINS.map((origin) =>
    hasExceptions(policy[origin], callback) ? `${policy[origin]} *` : policy[origin],
  );
  const timeouts = ORIGINS.map((origin) => formatDuration(timeout_ms[origin]));
  return [...[policies, timeouts].map(byOrigin), processes.join(", ") || "all"];
}

function byOrigin([local = "", federated]: string[]): string {
  return local === federated ? local : `${local}, federated ${federated}`;
}

function describeExceptions({ exceptions = [] }: FailurePolicy): string[] {
  return exceptions.map(({ policy, where = {}, same, published }) => {
    const parts = Object.entries(where).map(([path, value]) => `${path} is ${value}`);
    if (same) parts.push(same.join(" is "));
    if (published) parts.push(`${published} is in the room directory already`);
    return `${policy} if ${parts.join(", ")}`;
  });
}

/** Adds the unit to a number of milliseconds. */
function formatTtl(ttl: string | number): string {
  return /^\d+$/.test(String(ttl)) ? `${ttl}ms` : String(ttl);
}

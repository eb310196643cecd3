// What `check` prints about sound modules: who is asked, when, and what happens if they fail.
import type { Block, OnFailure, Policy, Timeout } from "./block.js";
import type { Callback, Catalogue, FailurePolicy } from "./catalogue.js";
import {
  type Conditions,
  type ListedChecker,
  type ListedEntry,
  type ListedModule,
  OF_CONFIG,
} from "./module.js";
import { table } from "./table.js";

type Origin = "local" | "federated";
const ORIGINS = ["local", "federated"] as const;
const UNKNOWN = "(depends on config)";
const DEFAULT_TIMEOUT = { local: "5s", federated: "2s" };

export function callbackTable(modules: ListedModule[], block: Block, catalogue: Catalogue): string {
  const rows: string[][] = [];
  for (const callback of catalogue.callbacks.values()) {
    const asked = modules.filter(({ callbacks }) => callbacks.has(callback.name));
    for (const [order, { name, index, callbacks }] of asked.entries()) {
      const entry = callbacks.get(callback.name) ?? {};
      for (const [place, one] of (entry.checkers ?? [entry]).entries()) {
        // What belongs to the callback and not to the module stands in its first row only.
        const own = (text: string) => (order + place === 0 ? text : "");
        rows.push([
          own(callback.name),
          block.modules[index]?.shadow ? `${name} (shadow)` : name,
          describeMatch(one),
          describeState(one),
          describeKept(one),
          own(describePolicies(callback, block)),
          own(describeTimeout(callback, block)),
        ]);
      }
    }
  }
  if (rows.length === 0) return "No callbacks.";
  const header = [
    "callback",
    "asked, in order",
    "only if",
    "room state sent",
    "kept for",
    "if it fails",
    "timeout",
  ];
  const notes = [...catalogue.callbacks.values()]
    .filter(({ name }) => modules.some(({ callbacks }) => callbacks.has(name)))
    .flatMap(({ name, on_failure }) =>
      describeExceptions(on_failure).map((text) => `  * ${name}: ${text}\n`),
    );
  return `\n${table(header, rows)}\n${notes.join("")}`;
}

export function resourceTable(modules: ListedModule[]): string {
  const rows = modules.flatMap(({ name, web_resources }) =>
    (web_resources === OF_CONFIG ? [UNKNOWN] : web_resources).map((path) => [path, name]),
  );
  return rows.length === 0 ? "No web resources.\n" : `${table(["web resource", "module"], rows)}\n`;
}

function describeMatch(entry: ListedEntry | ListedChecker): string {
  const { match = {} } = entry;
  const login =
    "login_type" in entry ? [`${entry.login_type} by ${entry.fields.join(" and ") || "nothing"}`] : [];
  if (match === OF_CONFIG) return [...login, UNKNOWN].join("; ");
  const { not, local, ...conditions } = match;
  const parts = login.concat(describeConditions(conditions as Conditions, ""));
  if (not) parts.push(...describeConditions(not, "not "));
  if (local !== undefined) parts.push(local ? "local" : "not local");
  return parts.join("; ") || "-";
}

function describeConditions(conditions: Conditions, prefix: string): string[] {
  return Object.entries(conditions).map(([path, wanted]) => {
    const values = Array.isArray(wanted) ? wanted.join(" | ") || "(nothing)" : String(wanted);
    return `${prefix}${path}: ${values}`;
  });
}

/** How long its answers are kept. */
function describeKept(entry: ListedEntry | ListedChecker): string {
  if (!entry.handler) return "no call";
  return entry.ttl === undefined ? "-" : show(entry.ttl);
}

function describeState({ room_state = [] }: Pick<ListedEntry, "room_state">): string {
  return room_state.map(([type, key]) => (key === "" ? type : `${type}/${key ?? "*"}`)).join(", ") || "-";
}

function describePolicies(callback: Callback, block: Block): string {
  const [local, federated] = ORIGINS.map((origin) => describePolicy(callback, block, origin));
  return local === federated ? String(local) : `${local}, federated ${federated}`;
}

/** As the shim chooses it: the callback's own setting, the general one where it can be expressed, the default. */
function describePolicy({ name, on_failure }: Callback, block: Block, origin: Origin): string {
  const own = ofOrigin(block.callbacks?.[name]?.on_failure, origin);
  if (own !== undefined) return own;
  const general = ofOrigin(block.on_failure, origin);
  const onlyExplicit: readonly string[] = on_failure.explicit?.[origin] ?? [];
  if (general !== undefined && general in on_failure && !onlyExplicit.includes(general)) return general;
  return on_failure.exceptions ? `${on_failure.default} *` : on_failure.default;
}

function ofOrigin(set: OnFailure | undefined, origin: Origin): Policy | undefined {
  return typeof set === "object" ? set[origin] : set;
}

function describeExceptions({ exceptions = [] }: FailurePolicy): string[] {
  return exceptions.map(({ policy, where, same }) => {
    const parts = Object.entries(where).map(([path, value]) => `${path} is ${value}`);
    if (same) parts.push(same.join(" is "));
    return `${policy} if ${parts.join(", ")}`;
  });
}

function describeTimeout({ name }: Callback, { timeout, callbacks = {} }: Block): string {
  const [local, federated] = ORIGINS.map(
    (origin) => pick(callbacks[name]?.timeout, origin) ?? pick(timeout, origin) ?? DEFAULT_TIMEOUT[origin],
  );
  return local === federated ? show(local) : `${show(local)}, federated ${show(federated)}`;
}

function pick(timeout: Timeout | undefined, origin: Origin): string | number | undefined {
  return typeof timeout === "object" ? timeout[origin] : timeout;
}

/** A number without a unit is milliseconds. */
function show(duration: string | number | undefined): string {
  return /^\d+$/.test(String(duration)) ? `${duration}ms` : String(duration);
}

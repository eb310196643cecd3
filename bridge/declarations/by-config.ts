// Settles what a module declares as a function of its config: `match`, `ttl`, auth_checkers and web_resources.
import { describeThrown } from "../base/thrown.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { readCheckers } from "./checkers.js";
import type { DeclaredChecker, DeclaredEntry, Report } from "./entry.js";
import { readMatch } from "./match-shape.js";
import {
  type Checker,
  DEPENDS_ON_CONFIG,
  type DependsOnConfig,
  type Entry,
  type ListedChecker,
  type ListedEntry,
} from "./module.js";
import { readTtl } from "./ttl.js";

/** A valid config, or none that is known. */
export type KnownConfig = { value: unknown } | DependsOnConfig;

/** What was declared: for the host, and for `check`, which also shows modules whose config is missing or wrong. */
interface Settled<Own, Listed> {
  readonly entry: Own;
  readonly listed: Listed;
}

/** Returns a callback's entry. Undefined if it has no login to check under this config. */
export function settleEntry(
  declared: DeclaredEntry,
  config: KnownConfig,
  at: string,
  catalogue: Catalogue,
  report: Report,
): Settled<Entry, ListedEntry> | undefined {
  const { checkers, ...parts } = declared;
  if (checkers === undefined) return settleParts(parts, config, at, catalogue, report);
  const found = byConfig(checkers, config, at, report);
  if (found === DEPENDS_ON_CONFIG) return { entry: {}, listed: { checkers: DEPENDS_ON_CONFIG } };
  const { callback } = declared;
  const read =
    typeof checkers === "function" ? readCheckers(callback.name, found, callback, report, true) : checkers;
  const settled = (read ?? []).map((checker, index) =>
    settleParts<Checker, ListedChecker, DeclaredChecker>(
      checker,
      config,
      `${at}[${index}]`,
      catalogue,
      report,
    ),
  );
  if (settled.length === 0) return undefined;
  return {
    entry: { checkers: settled.map(({ entry }) => entry) },
    listed: { checkers: settled.map(({ listed }) => listed) },
  };
}

function settleParts<
  Own extends Entry | Checker,
  Listed,
  Declared extends Omit<DeclaredEntry, "checkers" | "fields">,
>(
  { callback, match, ttl, ...rest }: Declared,
  config: KnownConfig,
  at: string,
  catalogue: Catalogue,
  report: Report,
): Settled<Own, Listed> {
  const foundMatch = byConfig(match, config, `${at}.match`, report);
  const foundTtl = byConfig(ttl, config, `${at}.ttl`, report);
  const parts = {
    match: isFound(foundMatch) ? readMatch(foundMatch, callback, at, catalogue, report) : foundMatch,
    ttl: isFound(foundTtl) ? readTtl(foundTtl, at, report) : foundTtl,
  };
  const known = Object.entries(parts).filter(([, value]) => value !== undefined);
  const sure = known.filter(([, value]) => value !== DEPENDS_ON_CONFIG);
  const entry = { ...rest, ...Object.fromEntries(sure) } as unknown as Own;
  return { entry, listed: { ...rest, ...Object.fromEntries(known) } as unknown as Listed };
}

const isFound = (value: unknown) => value !== undefined && value !== DEPENDS_ON_CONFIG;

/** Returns a declaration; if it is a function, its result for the config. */
export function byConfig(declared: unknown, config: KnownConfig, what: string, report: Report): unknown {
  if (typeof declared !== "function") return declared;
  if (config === DEPENDS_ON_CONFIG) return DEPENDS_ON_CONFIG;
  try {
    return declared(config.value);
  } catch (error) {
    report(`${what} threw: ${describeThrown(error)}`);
    return undefined;
  }
}

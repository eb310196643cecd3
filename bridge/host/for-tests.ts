// What the host does differently for the authors' kit (`synapse-module-bridge/testing`): a clock of its own, the grants that
// a module declares, and an error where a module reads a field of a login that it has not declared.
import { readFileSync } from "node:fs";
import { isObject } from "../base/is-object.js";
import type { ConfiguredModule } from "../catalogue/protocol.js";
import type { Checker, Handler, LoadedModule } from "../declarations/module.js";
import type { Importer } from "../loading/loader.js";
import type { Logger } from "../logging/log.js";

export interface ForTests {
  /** What `api.get_current_time_msec` gives. */
  now(): number;
  /** Imports modules in another way than from files. */
  importer?: Importer;
  /** Told why a call has failed: what the module itself has thrown, if it has. `request` is that of the call. */
  onFailure?(request: string | null, error: unknown): void;
}

/** The message of the record with what a module has thrown. The log of production may hide that, for logins. */
export const THROWN = "thrown in a test";

/** What the host of another process does for the kit, whose clock is in a file. */
export function inAnotherProcess(clock: string, log: Logger): ForTests {
  return {
    now: clockOf(clock),
    onFailure: (request, err) => log.debug({ request, err }, THROWN),
  };
}

/** The kit's clock of a host in another process: a file with `{ now }`, or with `{ offset }` from the real time. */
function clockOf(file: string): () => number {
  return () => {
    const { now, offset = 0 } = JSON.parse(readFileSync(file, "utf8"));
    return now ?? Date.now() + offset;
  };
}

/** Lets a module be loaded whatever grants it declares, unless the test gives some. */
export function withAllGrants(modules: readonly ConfiguredModule[]): ConfiguredModule[] {
  return modules.map((module) => ({ ...module, grants: module.grants ?? "all" }));
}

/** The module as tests ask it. `given` are the grants of the test. */
export function forTests(module: LoadedModule, given: ConfiguredModule["grants"]): LoadedModule {
  const grants = given === undefined ? new Set(module.declared_grants) : module.grants;
  const callbacks = [...module.callbacks].map(([name, entry]) => {
    const { checkers } = entry;
    return [name, checkers ? { ...entry, checkers: checkers.map(strict) } : entry] as const;
  });
  return { ...module, grants, callbacks: new Map(callbacks) };
}

/** The checker, with a `login_dict` that throws where an undeclared field is read: in production it is always undefined. */
function strict(checker: Checker): Checker {
  const { handler, fields, login_type } = checker;
  if (!handler) return checker;
  const read: ProxyHandler<object> = {
    get(target, key) {
      // Test runners and loggers ask every object for fields such as toJSON, and `await` asks for `then`.
      const isOfLogin = typeof key === "string" && !(key in target) && !INSPECTED.has(key);
      if (isOfLogin && !fields.includes(key)) {
        const declared = fields.map((field) => JSON.stringify(field)).join(", ");
        throw new Error(
          `login_dict.${key} is not among the fields that the module declares for ${login_type} (${declared || "none"}): Synapse does not pass it; add it to \`fields\``,
        );
      }
      return Reflect.get(target, key);
    },
  };
  const asked: Handler = (params, context) => {
    const { login_dict } = params as { login_dict?: unknown };
    const guarded = isObject(login_dict) ? new Proxy(login_dict, read) : login_dict;
    return handler(Object.freeze({ ...params, login_dict: guarded }), context);
  };
  return { ...checker, handler: asked };
}

const INSPECTED = new Set([
  "then",
  "toJSON",
  "asymmetricMatch",
  "nodeType",
  "tagName",
  "hasAttribute",
  "inspect",
]);

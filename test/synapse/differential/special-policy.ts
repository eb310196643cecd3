// The scripted policy for logins, background updates and unsigned fields; special_twin.py is the same in Python.
import { appendFileSync, readFileSync } from "node:fs";
import { NOT_SPAM } from "synapse-module-bridge";
import { apply, decide, type PolicyConfig, thrown } from "./decide.js";
import type { Later, Script } from "./script.js";

// biome-ignore lint/suspicious/noExplicitAny: one function serves the parameters and answers of all callbacks
type Any = any;

/** Null for what passes. */
async function answer(callback: string, params: Any, config: PolicyConfig): Promise<Any> {
  const given = await decide(callback, params, config);
  return given === NOT_SPAM ? null : given;
}

/** What the script says is done later becomes a function. */
async function withLater(callback: string, params: Any, { config }: Any): Promise<Any> {
  const given = await answer(callback, params, config);
  const later = laterOf(callback, config);
  return later ? [given, (response: Any) => run(callback, later, response, config)] : given;
}

function laterOf(callback: string, config: PolicyConfig): Later | undefined {
  const script = JSON.parse(readFileSync(config.script, "utf8")) as Script;
  return script[config.name]?.[callback]?.later;
}

function run(callback: string, later: Later, response: Any, config: PolicyConfig): void | Promise<void> {
  const params = response ? { login_response: structuredClone(response) } : {};
  const seen = { module: config.name, callback: `after ${callback}`, params };
  appendFileSync(config.log, `${JSON.stringify(seen)}\n`);
  const act = () => {
    apply(response, later.edit ?? []);
    if (later.throw) throw thrown(later.throw);
  };
  return later.async ? Promise.resolve().then(act) : act();
}

const checker = (login_type: string, fields: readonly string[]) => ({
  login_type,
  fields,
  handler: (params: Any, context: Any) => withLater("auth_checkers", params, context),
});

export const logins = {
  auth_checkers: [
    checker("m.login.password", ["password"]),
    checker("org.example.token", ["token", "device"]),
    checker("org.example.nothing", []),
  ],
  check_3pid_auth: (params: Any, context: Any) => withLater("check_3pid_auth", params, context),
};

export const unsigned = async (params: Any, { config }: Any) =>
  (await answer("add_field_to_unsigned_callback", params, config)) ?? {};

export const updates = {
  on_update: (params: Any, context: Any) => withLater("on_update", params, context),
  default_batch_size: (params: Any, { config }: Any) => answer("default_batch_size", params, config),
  min_batch_size: (params: Any, { config }: Any) => answer("min_batch_size", params, config),
};

// `api.store` as a module calls it: absent values are undefined, and `update` is a loop of compare_and_set.
import { setTimeout as pause } from "node:timers/promises";
import { copyJson } from "../base/exact-json.js";
import { whatJsonLoses } from "../base/json-check.js";
import type { Asker, Form } from "./asker.js";

// Each time another process has written in between, and this one waits a little longer.
const ATTEMPTS = 100;
const MOST_PAUSE_MS = 100;

type Params = Record<string, unknown>;

const get: Form = async (asker, path, params) => {
  const found = (await asker.call(path, params)) as { value: unknown } | null;
  return found === null ? undefined : found.value;
};

const write: Form = (asker, path, params) => {
  for (const name of ["value", "expected"]) checkJson(path, name, params[name]);
  return asker.call(path, params);
};

// Who updates which key in this process, module after module: these need not fail against each other.
const lines = new Map<string, Promise<unknown>>();

const update: Form = async (asker, path, params) => {
  const { update: replace, ...rest } = params;
  if (typeof replace !== "function") throw new TypeError(`api.${path}: update must be a function`);
  asker.check(path, rest);
  const key = JSON.stringify([asker.module, params.key]);
  const before = lines.get(key) ?? Promise.resolve();
  const run = () => compareAndSetUntilDone(asker, path, params);
  const mine = before.then(run, run);
  lines.set(key, mine);
  try {
    return await mine;
  } finally {
    if (lines.get(key) === mine) lines.delete(key);
  }
};

async function compareAndSetUntilDone(asker: Asker, path: string, params: Params): Promise<unknown> {
  const { key, ttl, update: replace } = params;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const expected = await get(asker, "store.get", { key });
    const value = (replace as (value: unknown) => unknown)(copyJson(expected));
    if (value instanceof Promise) {
      value.catch(() => {});
      throw new TypeError(`api.${path}: update must not be async: it may run several times`);
    }
    checkJson(path, "what update returned", value);
    if (await asker.call("store.compare_and_set", { key, expected, value, ttl })) return value;
    await pause(Math.random() * Math.min(MOST_PAUSE_MS, 2 ** attempt));
  }
  throw new Error(`api.${path}: other processes have written ${key} in between, ${ATTEMPTS} times`);
}

function checkJson(path: string, what: string, value: unknown): void {
  const problem = value === undefined ? undefined : whatJsonLoses(value);
  if (problem) throw new TypeError(`api.${path}: ${what}: ${problem}`);
}

export const storeForms: readonly [string, Form][] = [
  ["store.get", get],
  ["store.set", write],
  ["store.compare_and_set", write],
  ["store.update", update],
];

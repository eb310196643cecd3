// Implements `api.store` for modules: a missing value is undefined, and `update` is a loop of compare_and_set.
import { setTimeout as pause } from "node:timers/promises";
import { copyJson } from "../base/exact-json.js";
import { whatJsonLoses } from "../base/json-check.js";
import { Lines } from "../base/lines.js";
import type { ApiClient, MethodAdapter } from "./api-client.js";

// An attempt fails if another process has written in between. The next one comes after a longer pause.
const ATTEMPTS = 100;
const MOST_PAUSE_MS = 100;

type Params = Record<string, unknown>;

const get: MethodAdapter = async (client, path, params) => {
  const found = (await client.call(path, params)) as { value: unknown } | null;
  return found === null ? undefined : found.value;
};

const write: MethodAdapter = (client, path, params) => {
  for (const name of ["value", "expected"]) checkJson(path, name, params[name]);
  return client.call(path, params);
};

// By module and key. Updates and increments wait for each other, so that they do not make each other fail, and do not take one
// connection each to wait for the same row.
const lines = new Lines();
const inLine = <Result>(client: ApiClient, name: unknown, run: () => Promise<Result>) =>
  lines.wait(JSON.stringify([client.module, name]), run);

const increment: MethodAdapter = async (client, path, params) => {
  client.check(path, params);
  return inLine(client, params.key, () => client.call(path, params));
};

const update: MethodAdapter = async (client, path, params) => {
  const { update: replace, ...rest } = params;
  if (typeof replace !== "function") throw new TypeError(`api.${path}: update must be a function`);
  client.check(path, rest);
  return inLine(client, params.key, () => compareAndSetUntilDone(client, path, params));
};

async function compareAndSetUntilDone(client: ApiClient, path: string, params: Params): Promise<unknown> {
  const { key, ttl, update: replace } = params;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const expected = await get(client, "store.get", { key });
    const value = (replace as (value: unknown) => unknown)(copyJson(expected));
    if (value instanceof Promise) {
      value.catch(() => {});
      throw new TypeError(`api.${path}: update must not be async: it may run several times`);
    }
    checkJson(path, "what update returned", value);
    if (await client.call("store.compare_and_set", { key, expected, value, ttl })) return value;
    await pause(Math.random() * Math.min(MOST_PAUSE_MS, 2 ** attempt));
  }
  throw new Error(`api.${path}: other processes have written ${key} in between, ${ATTEMPTS} times`);
}

function checkJson(path: string, what: string, value: unknown): void {
  const problem = value === undefined ? undefined : whatJsonLoses(value);
  if (problem) throw new TypeError(`api.${path}: ${what}: ${problem}`);
}

export const storeAdapters: readonly [string, MethodAdapter][] = [
  ["store.get", get],
  ["store.set", write],
  ["store.compare_and_set", write],
  ["store.increment", increment],
  ["store.update", update],
];

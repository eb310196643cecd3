// What protocol.json declares is whole, and used: nothing of it is written a second time on either side.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import pino from "pino";
import { isErrorStatus } from "../../bridge/base/error-status.js";
import { catalogue } from "../../bridge/catalogue/catalogue.js";
import { makeAjv } from "../../bridge/catalogue/validators.js";
import type { Cancellation } from "../../bridge/transport/cancellation.js";
import { readResponse } from "../../bridge/web/response.js";
import { ROOT, readSources } from "../../scripts/generate/sources.js";

const { protocol, types } = readSources();
const { messages, records, errors, limits, definitions } = protocol;
const bridge = textOf("bridge", ".ts", "bridge/catalogue/protocol.ts");
const shim = textOf("python-shim/synapse_module_bridge", ".py");

/** All files of a folder but one, and the built host. */
function textOf(folder: string, ending: string, without?: string): string {
  const names = readdirSync(ROOT + folder, { recursive: true }) as string[];
  return names
    .map((name) => path.join(folder, name))
    .filter((file) => file.endsWith(ending) && file !== without && !file.includes("/_host/"))
    .map((file) => readFileSync(ROOT + file, "utf8"))
    .join("\n");
}

test("every definition is JSON Schema, and none has the name of a wire type", () => {
  const { types: wireTypes, codes } = catalogue();
  const ajv = makeAjv(wireTypes, codes, { validateSchema: true });
  ajv.addSchema({ $id: "protocol.json", definitions });
  for (const name of Object.keys(definitions)) {
    expect(() => ajv.compile({ $ref: `protocol.json#/definitions/${name}` })).not.toThrow();
    expect(types).not.toHaveProperty(name);
  }
});

test("every definition is named, and every name is defined", () => {
  const named = [
    ...Object.values(messages).flatMap(({ params, result = [] }) => [params, result].flat()),
    ...Object.values(records).map(({ holds }) => holds),
    ...Object.values(errors).flatMap(({ data }) => Object.values(data)),
  ].map((name) => name.replace(/\?$/, ""));
  const referred = JSON.stringify(definitions).matchAll(/"#\/definitions\/(\w+)"/g);
  const all = new Set([...named, ...[...referred].map(([, name = ""]) => name)]);
  const own = [...all].filter((name) => !Object.hasOwn(types, name));
  expect(own.sort()).toEqual(Object.keys(definitions).sort());
});

test.each(Object.entries(messages))("%s: its errors are declared, and both sides know it", (method, one) => {
  for (const error of one.errors ?? []) expect(errors).toHaveProperty([error]);
  const beginning = method.replace(/\*$/, "");
  const taken = method.endsWith("*") ? `method_prefix("${beginning}")` : `method_name("${method}")`;
  expect(shim.includes(taken)).toBe(true);
  // The library sends and takes it by itself. The steps of a transaction are typed by their own names.
  const step = /^api\/run_db_interaction\/(\w+)$/.exec(method)?.[1];
  const known = step === undefined ? beginning : `.step("${step}"`;
  if (method !== "$/cancelRequest") expect(bridge.includes(known)).toBe(true);
});

test("the shim writes no method but where it looks it up", () => {
  const paths = Object.keys(messages).filter((method) => method.includes("/") && !method.endsWith("*"));
  const others = shim.replace(/method_name\("[^"]+"\)/g, "");
  expect(paths.filter((method) => others.includes(`"${method}"`))).toEqual([]);
  expect(/\.(call|request|notify)\("/.test(others)).toBe(false);
});

test.each(Object.keys(limits))("%s is kept", (name) => {
  expect(bridge.includes(`LIMITS.${name}`) || new RegExp(`"${name}"`).test(shim)).toBe(true);
});

test.each(Object.keys(limits).filter((name) => /^(?:store|kept|local|federated)_/.test(name)))(
  "%s is kept by the shim, and by the kit as the shim does",
  (name) => {
    expect(bridge).toContain(`LIMITS.${name}`);
    expect(shim).toContain(`LIMITS["${name}"]`);
  },
);

test.each(Object.keys(protocol.causes))("the cause %s is told by who is said to tell it", (name) => {
  const by = protocol.causes[name]?.by;
  if (by !== "shim") expect(bridge.includes(`CAUSES.${name}`)).toBe(true);
  if (by !== "host") expect(new RegExp(`CAUSES\\[["']${name}["']\\]`).test(shim)).toBe(true);
});

test("the statuses that the host checks without the definitions are the declared ones", async () => {
  type Range = { readonly minimum?: number; readonly maximum?: number };
  const around = ({ minimum = 0, maximum = 0 }: Range) => [minimum - 1, minimum, maximum, maximum + 1];
  const fits = async (status: number) => {
    const answer = { status, headers: new Map(), body: null, arrayBuffer() {} };
    return readResponse(answer, {} as Cancellation).then(
      () => true,
      () => false,
    );
  };
  const ofAnswer = around(definitions.WebAnswer?.properties?.status as Range);
  expect(await Promise.all(ofAnswer.map(fits))).toEqual([false, true, true, false]);
  const ofError = around(definitions.ErrorStatus as Range);
  expect(ofError.map(isErrorStatus)).toEqual([false, true, true, false]);
});

test("the log levels are pino's", () => {
  const declared = Object.entries(protocol.log_levels).map(([name, { value }]) => [name, value]);
  const { trace, ...others } = pino.levels.values;
  expect(Object.fromEntries(declared)).toEqual(others);
});

// So that there is one place to change it.
test("the page on the protocol names limits, and writes no number with a unit", () => {
  const page = readFileSync(`${ROOT}docs/internals/protocol.md`, "utf8").replace(/^```[\s\S]*?^```/gm, "");
  const units = "(?:ms|s|KiB|MiB|MB|(?:second(?! host)|minute|hour|day|byte|character)s?)";
  const numbers =
    "(?:\\d[\\d,.]*|an?|one|two|three|four|five|six|eight|ten|thirty|half an?|hundred|thousand)";
  // Not "a second host".
  const told = [...page.matchAll(new RegExp(`\\b${numbers}\\s${units}\\b`, "g"))].map(([text]) => text);
  expect(told).toEqual([]);
  const named = [...page.matchAll(/`(\w+_(?:ms|bytes|characters|frames|lines|once|ups))`/g)].map(
    ([, name]) => name,
  );
  const fields = /\b(?:linger|time_left|held_patience)_ms$/;
  expect(named.filter((name = "") => !Object.hasOwn(limits, name) && !fields.test(name))).toEqual([]);
  expect(named).toContain("suspect_blocked_ms");
});

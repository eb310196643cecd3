// A module's config: where it is read from, how its defaults are filled in, and how what is wrong is told.
import { afterAll, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { DEPENDS_ON_CONFIG } from "../../../../bridge/declarations/module.js";
import { loadModules } from "../../../../bridge/loading/loader.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const path = folder.write(
  "configured.ts",
  `export default {
    configSchema: {
      type: "object",
      properties: {
        domains: { type: "array", items: { type: "string" } },
        mode: { enum: ["soft", "hard"], default: "soft" },
        limits: { type: "object", properties: { per_day: { type: "integer", minimum: 1 } }, additionalProperties: false },
      },
      required: ["domains"],
      additionalProperties: false,
    },
    callbacks: {
      user_may_invite: { match: (config) => ({ invitee: config.domains.map((d) => "*:" + d) }), handler() {} },
    },
    web_resources: (config) => ({ ["/_synapse/client/" + config.mode]: () => 1 }),
  };`,
);
const load = (settings: object) => loadModules([{ path, ...settings }], catalogue());

test("defaults are filled in, and match and web_resources may follow from the config", async () => {
  const { modules, problems: faults } = await load({ config: { domains: ["a.org", "b.org"] } });
  expect(faults).toEqual([]);
  expect(modules[0]?.config).toEqual({ domains: ["a.org", "b.org"], mode: "soft" });
  expect(modules[0]?.callbacks.get("user_may_invite")?.match).toEqual({ invitee: ["*:a.org", "*:b.org"] });
  expect([...(modules[0]?.web_resources.keys() ?? [])]).toEqual(["/_synapse/client/soft"]);
});

test("every error in a config is told, at its place in homeserver.yaml", async () => {
  const { problems: faults } = await load({
    config: { domains: ["a", 3], mode: "sotf", limits: { per_day: 0, per_dya: 1 }, modes: 1 },
  });
  expect(faults.map((fault) => [fault.path.join("."), fault.message])).toEqual(
    expect.arrayContaining([
      ["modules.0.config.domains.1", "must be string"],
      ["modules.0.config.mode", 'must be one of "soft", "hard"'],
      ["modules.0.config.limits.per_day", "must be >= 1"],
      ["modules.0.config.limits.per_dya", "unknown key (did you mean per_day?)"],
      ["modules.0.config.modes", "unknown key (did you mean mode?)"],
    ]),
  );
  expect(faults).toHaveLength(5);
});

test("a required key that is missing is named", async () => {
  const { problems: faults } = await load({});
  expect(faults).toEqual([{ path: ["modules", 0, "config", "domains"], message: "is required" }]);
});

test.each([
  ["yaml", "domains: [a.org]\nmode: hard\n"],
  ["json", '{ "domains": ["a.org"], "mode": "hard" }'],
])("a config_file may be %s", async (ending, text) => {
  const { modules } = await load({ config_file: folder.write(`own.${ending}`, text) });
  expect(modules[0]?.config).toEqual({ domains: ["a.org"], mode: "hard" });
});

test.each([
  ["one that is missing", () => `${folder.root}/gone.yaml`, /^there is no file .*gone\.yaml$/],
  [
    "one that is not YAML",
    () => folder.write("bad.yaml", "a: [1\n"),
    /bad\.yaml: is no YAML: line 2, column 1: /,
  ],
  [
    "one that does not fit",
    () => folder.write("unfit.yaml", "domains: 3\n"),
    /unfit\.yaml: domains: must be array/,
  ],
  [
    "one with a date",
    () => folder.write("date.yaml", "domains: [2026-01-01]\n"),
    /domains\[0\] is a Date: put it in quotes/,
  ],
])("a config_file is a fault if it is %s", async (_, make, message) => {
  const { problems: faults } = await load({ config_file: make() });
  expect(faults).toEqual([{ path: ["modules", 0, "config_file"], message: expect.stringMatching(message) }]);
});

test("config and config_file exclude each other", async () => {
  const { problems: faults } = await load({ config: {}, config_file: "/x" });
  expect(faults).toEqual([
    { path: ["modules", 0, "config_file"], message: "give config or config_file, not both" },
  ]);
});

test("a default is filled in before it is looked at, and one that fits is no fault", async () => {
  const file = folder.write(
    "defaults.ts",
    `export default { configSchema: { type: "object", properties: {
      limits: { type: "object", default: {}, required: ["day"], properties: { day: { type: "integer", default: 5 } } },
      default: { type: "string" }, examples: { enum: [{ default: 1 }] },
    } }, callbacks: {} };`,
  );
  const { modules, problems: faults } = await loadModules([{ path: file }], catalogue());
  expect(faults).toEqual([]);
  expect(modules[0]?.config).toEqual({ limits: { day: 5 } });
});

const formatted = folder.write(
  "formats.ts",
  `export default { configSchema: { type: "object", properties: {
    home: { type: "string", format: "uri" }, mail: { type: "string", format: "email" }, at: { type: "string", format: "time" },
  } }, callbacks: {} };`,
);

test.each([
  [{ home: "https://example.org/", mail: "a@example.org", at: "12:00:00Z" }, []],
  [{ home: "example.org" }, ['home: must match format "uri"']],
  [{ mail: "@example.org", at: "noon" }, ['mail: must match format "email"', 'at: must match format "time"']],
])("a format is checked: %j", async (config, messages) => {
  const { problems } = await loadModules([{ path: formatted, config }], catalogue());
  expect(problems.map(({ path, message }) => `${path.at(-1)}: ${message}`)).toEqual(messages);
});

test.each([
  ["of the same schema", `{ properties: { b: {} }, required: ["b"] }`],
  ["around", `{ properties: { a: {}, b: {} }, anyOf: [{ required: ["a"] }, { required: ["b"] }] }`],
  [
    "beside",
    `{ allOf: [{ properties: { a: {} } }], if: { properties: { b: {} } }, then: {}, required: ["a", "b"] }`,
  ],
  [
    "of a $ref",
    `{ definitions: { x: { properties: { b: {} } } }, $ref: "#/definitions/x", required: ["b"] }`,
  ],
  ["of itself", `{ properties: { b: { $ref: "#" } }, anyOf: [{ $ref: "#" }], required: ["b"] }`],
  [
    "of a $ref with a slash",
    `{ definitions: { "x/y": { properties: { b: {} } } }, $ref: "#/definitions/x~1y", required: ["b"] }`,
  ],
  ["of a pattern", `{ patternProperties: { "^b": { type: "string" } }, required: ["b"] }`],
  ["of any name", `{ additionalProperties: { type: "string" }, required: ["b"] }`],
])("what is required may be declared %s", async (place, schema) => {
  const file = folder.write(
    `required-${place.replace(/\W/g, "-")}.ts`,
    `export default { configSchema: { type: "object", properties: { in: ${schema} } }, callbacks: {} };`.replace(
      /"#/g,
      '"#/properties/in',
    ),
  );
  expect((await loadModules([{ path: file }], catalogue())).problems).toEqual([]);
});

const byConfig = folder.write(
  "by-config.ts",
  `export default {
    configSchema: { type: "object", properties: { keep: { type: "string" }, types: { type: "array", items: { type: "string" } } } },
    callbacks: {
      is_user_expired: { ttl: (config) => config.keep, handler: () => null },
      auth_checkers: (config) => (config.types ?? []).map((login_type) => ({ login_type, fields: ["token"], handler: () => null })),
    },
  };`,
);
const loadByConfig = (config: object) => loadModules([{ path: byConfig, config }], catalogue());

test("ttl and auth_checkers may follow from the config", async () => {
  const { modules, problems } = await loadByConfig({ keep: "5m", types: ["org.example.a", "org.example.b"] });
  expect(problems).toEqual([]);
  const callbacks = modules[0]?.callbacks;
  expect(callbacks?.get("is_user_expired")?.ttl).toBe("5m");
  expect(callbacks?.get("auth_checkers")?.checkers).toMatchObject([
    { login_type: "org.example.a", fields: ["token"] },
    { login_type: "org.example.b", fields: ["token"] },
  ]);
});

test("a module whose config names no login checks none", async () => {
  const { modules, problems } = await loadByConfig({ types: [] });
  expect(problems).toEqual([]);
  expect([...(modules[0]?.callbacks.keys() ?? [])]).toEqual(["is_user_expired"]);
  expect(modules[0]?.callbacks.get("is_user_expired")).not.toHaveProperty("ttl");
});

test("what the functions return is checked", async () => {
  const { problems } = await loadByConfig({ keep: "ten minutes", types: ["", "a"] });
  expect(problems.map(({ message }) => message.replace(`${byConfig}: `, ""))).toEqual([
    'callbacks.is_user_expired.ttl must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as "10m"',
    'callbacks.auth_checkers[0].login_type must be a string, such as "m.login.password"',
  ]);
});

test("what depends on a config that is wrong is listed all the same", async () => {
  const { modules, listed } = await loadByConfig({ keep: 5 });
  expect(modules).toEqual([]);
  const callbacks = listed[0]?.callbacks;
  expect(callbacks?.get("is_user_expired")?.ttl).toBe(DEPENDS_ON_CONFIG);
  expect(callbacks?.get("auth_checkers")?.checkers).toBe(DEPENDS_ON_CONFIG);
});

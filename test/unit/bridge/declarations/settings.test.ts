// A module's config: where it is read from, how its defaults are filled in, and how what is wrong is told.
import { afterAll, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
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

test("a format that is not checked is told, but where there is a pattern", async () => {
  const file = folder.write(
    "formats.ts",
    `export default { configSchema: { type: "object", properties: {
      home: { type: "string", format: "uri" }, mail: { type: "string", format: "email", pattern: "@" },
    } }, callbacks: {} };`,
  );
  const warnings: string[] = [];
  const { problems: faults } = await loadModules([{ path: file }], catalogue(), {
    warn: (text) => warnings.push(text),
  });
  expect(faults).toEqual([]);
  expect(warnings).toEqual([
    `${file}: configSchema.properties.home: the format uri is not checked: give a pattern, too`,
  ]);
});

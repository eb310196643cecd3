// The wheel's `check` and Synapse agree on what homeserver.yaml says, and on what it means.
import { symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { folder, runPython, runWheel } from "./command-line.js";

// The first run imports Synapse, which on a busy machine takes seconds.
jest.setTimeout(120_000);

const BRIDGE = "synapse_module_bridge.ModuleBridge";
const homeserver = (config: string) => `modules: [{ module: ${BRIDGE}, config: ${config} }]\n`;
const faultsIn = (out: string) =>
  out
    .split(/faults?:\n/)[1]
    ?.trimEnd()
    .split("\n")
    .map((line) => line.trim());

/** What Synapse makes of files: the modules' own configs, as text. */
async function synapseReads(...files: string[]): Promise<string> {
  const script = `
import json, sys
from synapse.config._base import find_config_files, read_config_files
from synapse.util.module_loader import load_module
settings = read_config_files(find_config_files(sys.argv[1:]))
_, config = load_module(settings["modules"][0], ("modules", "<item 0>"))
print(json.dumps([module.get("config") for module in config.modules], default=lambda value: type(value).__name__))
`;
  return (await runPython(script, files)).out.trim();
}

// Its config is shown as what it is asked about.
const SHOWS = `export default {
  callbacks: { user_may_invite: { match: (config) => ({ room_id: [JSON.stringify(config)] }), handler() {} } },
};`;

describe("check reads what Synapse reads", () => {
  const rest = "server_name: example.org\nreport_stats: false\n";
  folder.write("shows.ts", SHOWS);

  test("values that other parsers of YAML take for something else", async () => {
    const values = {
      y: '"y"',
      yes: "true",
      on: "true",
      "1e3": '"1e3"',
      "1.5e+3": "1500.0",
      "0777": "511",
      "0o17": '"0o17"',
      "1_000": "1000",
      "12:30:45": "45045",
      "~": "null",
    };
    const modules = Object.keys(values).map(
      (value, i) => `{ path: shows.ts, name: m${i}, config: [${value}] }`,
    );
    folder.write("own.yaml", "value: y\n");
    modules.push("{ path: shows.ts, name: own, config_file: own.yaml }");
    folder.write("values.yaml", rest + homeserver(`{ modules: [${modules}] }`));
    const { code, out } = await runWheel(["check", "values.yaml"]);
    const read = Object.values(values).map((value) => `[${value}]`);
    expect(await synapseReads("values.yaml")).toBe(`[${read.join(", ")}, null]`);
    read.push('{"value":"y"}');
    // JSON has no other word for 1500.0.
    expect(out.match(/(?<=room_id: )\S+/g)).toEqual(read.map((value) => value.replace(".0]", "]")));
    expect(code).toBe(0);
  });

  test("a date, which no module can get", async () => {
    folder.write(
      "date.yaml",
      rest + homeserver("{ modules: [{ path: shows.ts, config: { value: 2026-01-10 } }] }"),
    );
    expect(await synapseReads("date.yaml")).toBe('[{"value": "date"}]');
    const { code, out } = await runWheel(["check", "date.yaml"]);
    expect(faultsIn(out)).toEqual([
      "modules[0].config.modules[0].config: value is a date, which is no JSON: put it in quotes",
    ]);
    expect(code).toBe(1);
  });

  test("a key that comes twice, of which the last holds", async () => {
    const twice = "{ modules: [{ path: gone.ts }], modules: [{ path: shows.ts, config: { value: 1 } }] }";
    folder.write("twice.yaml", rest + homeserver(twice));
    expect(await synapseReads("twice.yaml")).toBe('[{"value": 1}]');
    expect(await runWheel(["check", "twice.yaml"])).toMatchObject({
      code: 0,
      out: expect.stringContaining('{"value":1}'),
    });
  });

  test("several files and a folder, of which the last one with `modules` holds", async () => {
    const block = (value: number) =>
      homeserver(`{ modules: [{ path: shows.ts, config: { value: ${value} } }] }`);
    folder.write("main.yaml", rest + block(1));
    folder.write("many.d/b.yaml", block(3));
    folder.write("many.d/a.yaml", block(2));
    folder.write("many.d/c.yaml", "report_stats: false\n");
    folder.write("many.d/d.yaml.disabled", block(4));
    folder.write("many.d/inner/e.yaml", block(5));
    for (const [files, value] of [
      [["main.yaml", "many.d"], 3],
      [["many.d", "main.yaml"], 1],
      [["main.yaml", "many.d/b.yaml", "many.d/a.yaml"], 2],
    ] as const) {
      expect((await synapseReads(...files)).split("\n").at(-1)).toBe(`[{"value": ${value}}]`);
      expect((await runWheel(["check", ...files])).out).toContain(`{"value":${value}}`);
    }
  });

  test("which Node runs the modules, and which variables of the environment and how much memory it gets", async () => {
    symlinkSync(process.execPath, path.join(folder.root, "chosen-node"));
    folder.write(
      "environment.ts",
      `import v8 from "node:v8";
const mb = v8.getHeapStatistics().heap_size_limit / 2 ** 20;
console.log("variables:", Object.keys(process.env).sort().join(), mb < 1_000 ? "little" : "much", process.argv0);
export default { callbacks: {} };`,
    );
    folder.write(
      "environment.yaml",
      homeserver("{ node: ./chosen-node, env: [HOME], memory: 64M, modules: [{ path: environment.ts }] }"),
    );
    const { code, err } = await runWheel(["check", "environment.yaml"]);
    expect(err).toContain(`variables: HOME little ${path.join(folder.root, "chosen-node")}\n`);
    expect(code).toBe(0);
  });
});

describe("check tells what a start of Synapse would", () => {
  test("policies, timeouts and processes, as calls are answered by them", async () => {
    folder.write(
      "asked.ts",
      `const handler = () => {};
export default { callbacks: {
  check_event_for_spam: handler, user_may_invite: handler, check_can_deactivate_user: handler, on_new_event: handler,
} };`,
    );
    folder.write(
      "policies.yaml",
      homeserver(`{
        modules: [{ path: asked.ts }], timeout: 1500, on_failure: deny, workers: [main, w1],
        callbacks: {
          user_may_invite: { timeout: { federated: 90s }, on_failure: { local: allow }, workers: [w1, w2] },
        } }`),
    );
    const { code, out } = await runWheel(["check", "policies.yaml"]);
    const rows = out.split("\n").map((line) => line.trim().split(/ {2,}/));
    const told = (name: string) => rows.find(([first]) => first === name)?.slice(-3);
    // `deny` for messages of others only where it is written for that callback.
    expect(told("check_event_for_spam")).toEqual(["deny *, federated allow", "1500ms", "main, w1"]);
    expect(told("user_may_invite")).toEqual(["allow, federated deny", "1500ms, federated 90s", "w1"]);
    expect(told("check_can_deactivate_user")).toEqual(["deny", "1500ms", "main, w1"]);
    expect(told("on_new_event")?.slice(-1)).toEqual(["background"]);
    expect(out).toContain("* check_event_for_spam: allow if event.type is m.room.member");
    expect(code).toBe(0);
  });

  test("what is seldom meant", async () => {
    folder.write("idle.ts", "export default { callbacks: {} };");
    folder.write(
      "warned.yaml",
      homeserver(
        "{ timeout: { local: 5 }, modules: [{ path: idle.ts }], callbacks: { user_may_invite: {} } }",
      ),
    );
    const { code, out } = await runWheel(["check", "warned.yaml"]);
    expect(out).toContain("Warning: timeout (local) is 5 ms, in which hardly any module answers");
    expect(out).toContain("Warning: callbacks.user_may_invite has no effect: no module implements it.\n");
    expect([code, out.endsWith("\nNo faults.\n")]).toEqual([0, true]);
  });

  test("what this Synapse does not take", async () => {
    const handler = "handler: () => null";
    folder.write(
      "login.ts",
      `export default { callbacks: { auth_checkers: [{ login_type: "org.a", fields: [], ${handler} }] } };`,
    );
    folder.write(
      "mas.yaml",
      `${homeserver("{ modules: [{ path: login.ts }] }")}matrix_authentication_service: { enabled: true }\n`,
    );
    const { code, out } = await runWheel(["check", "mas.yaml"]);
    expect(faultsIn(out)).toEqual([
      expect.stringContaining(
        "modules[0].config.modules[0].path: login implements auth_checkers, which Synapse does not take",
      ),
    ]);
    expect(code).toBe(1);
    folder.write(
      "presence.ts",
      "export default { callbacks: { get_users_for_states: () => ({}), get_interested_users: () => [] } };",
    );
    folder.write(
      "apart.yaml",
      homeserver(
        "{ modules: [{ path: presence.ts }], callbacks: { get_interested_users: { workers: [main] }, get_users_for_states: { workers: [w1] } } }",
      ),
    );
    expect(faultsIn((await runWheel(["check", "apart.yaml"])).out)).toEqual([
      expect.stringContaining(
        "get_interested_users would be registered in this process without get_users_for_states",
      ),
      expect.stringContaining(
        "get_users_for_states would be registered in this process without get_interested_users",
      ),
    ]);
  });

  test("the faults of each of several entries, and nothing of a config that does not fit", async () => {
    folder.write(
      "strict.ts",
      'export default { configSchema: { properties: { token: { type: "integer" } } }, callbacks: {} };',
    );
    const entry = (config: string) =>
      `{ module: ${BRIDGE}, config: { modules: [{ path: strict.ts, config: ${config} }] } }`;
    folder.write(
      "entries.yaml",
      `modules: [${entry("{ token: s3cret }")}, ${entry("{ token: 1 }")}, ${entry("{ token: [] }")}]\n`,
    );
    const { code, out, err } = await runWheel(["check", "entries.yaml"]);
    expect(out.match(/^ {2}modules.*$/gm)).toEqual([
      "  modules[0].config.modules[0].config.token: must be integer",
      "  modules[2].config.modules[0].config.token: must be integer",
    ]);
    expect(out + err).not.toContain("s3cret");
    expect(code).toBe(1);
  });
});

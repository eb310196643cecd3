// The commands `check` and `call`, as a person runs them.
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Bundle, bundle } from "./bundle.js";
import { event, moduleOf, temporaryFolder } from "./rig.js";

const folder = temporaryFolder();
let code: Bundle;
beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
});

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command in the temporary folder. */
function run(args: string[], input = ""): Promise<Run> {
  const child = spawn(process.execPath, [code.file, ...args], { cwd: folder.root, timeout: 60_000 });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (status) => resolve({ code: status, out, err })));
}

const homeserver = (config: string) => `server_name: example.org
modules:
  - module: another.Module
  - module: synapse_module_bridge.ModuleBridge
    config:
${config.replace(/^/gm, "      ")}
`;

describe("check", () => {
  test("prints who is asked about what, when, and what happens if they fail", async () => {
    folder.write(
      "first.ts",
      `export default {
        callbacks: {
          check_event_allowed: { match: { type: ["m.room.message"], local: true, not: { sender: ["@bot:*"] } }, room_state: [["m.room.create", ""], ["m.room.member", null]], handler() {} },
          user_may_invite() {},
        },
        web_resources: { "/_synapse/client/first": () => 1 } };`,
    );
    folder.write("second.js", `module.exports = { callbacks: { user_may_invite() {} } };`);
    const yaml =
      "modules: [{ path: first.ts }, { path: ./second.js, name: other }]\ntimeout: { local: 3s, federated: 500 }\ncallbacks: { user_may_invite: { timeout: 1m } }";
    folder.write("good.yaml", homeserver(yaml));
    const { code: status, out } = await run(["check", "good.yaml"]);
    const squeezed = out.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));
    expect(squeezed).toEqual(
      expect.arrayContaining([
        "callback  asked, in order  only if  room state sent  if it fails  timeout",
        "user_may_invite  first  -  -  defer  1m",
        "other  -  -",
        "check_event_allowed  first  type: m.room.message; not sender: @bot:*; local  m.room.create, m.room.member/*  defer *  3s, federated 500ms",
        "/_synapse/client/first  first",
        "No faults.",
      ]),
    );
    expect(status).toBe(0);
  });

  test("tells all faults with their place, and fails", async () => {
    folder.write("unknown.ts", "export default { callbacks: { user_may_invte() {} } };");
    folder.write(
      "bad.yaml",
      homeserver(
        "modules: [{ path: unknown.ts }, { path: gone.ts }]\ncallbacks: { nonsense: {}, is_user_expired: {} }",
      ),
    );
    const { code: status, out } = await run(["check", "bad.yaml"]);
    expect(out.replaceAll(`${folder.root}/`, "")).toContain(`4 faults:
  modules.1.config.callbacks.nonsense: is no callback of Synapse
  modules.1.config.callbacks.is_user_expired: is not forwarded by this version of the bridge
  modules.1.config.modules.0.path: unknown.ts: unknown callback user_may_invte (did you mean user_may_invite?)
  modules.1.config.modules.1.path: there is no file or folder gone.ts
`);
    expect(status).toBe(1);
  });

  test("tells what is wrong with the shape of the block", async () => {
    folder.write(
      "shape.yaml",
      homeserver(`modules: [{ path: first.ts, shadow: 1, grants: send_mail, nme: x }]
timeout: 5 s
on_failure: open
workers: main
callbacks: { user_may_invite: { timeout: { local: never } } }
start_timeout: 0
memory: lots
env: [A B]`),
    );
    const { code: status, out } = await run(["check", "shape.yaml"]);
    for (const line of [
      "modules.0.shadow: must be boolean",
      "modules.0.grants: must be a list of ModuleApi methods, or all",
      "modules.0.nme: unknown key (did you mean name?)",
      "timeout: must be a duration (milliseconds, or a number with s, m, h, d, w or y, such as 5s), or { local: <duration>, federated: <duration> }",
      "on_failure: must be allow, deny or defer, or { local: <one of these>, federated: <one of these> }",
      "workers: must be a list of worker names; `main` is the main process",
      "callbacks.user_may_invite.timeout.local: must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as 5s",
      "start_timeout: must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as 5s",
      "memory: must be a size: bytes, or a number with K, M or G, such as 256M",
      "env.0: must be the name of an environment variable",
    ]) {
      expect(out).toContain(`modules.1.config.${line}\n`);
    }
    expect(out).toContain("10 faults:");
    expect(status).toBe(1);
  });

  test("reads several files and folders, of which the last holds", async () => {
    folder.write("conf.d/10-modules.yaml", homeserver("modules: [{ path: first.ts }]"));
    folder.write("conf.d/20-other.yaml", "report_stats: false\n");
    folder.write("conf.d/30-notes.txt", "not: [yaml");
    folder.write("last.yaml", homeserver("modules: [{ path: second.js }]"));
    expect((await run(["check", "good.yaml", "conf.d"])).out).toContain("/_synapse/client/first");
    expect((await run(["check", "conf.d", "last.yaml"])).out).not.toContain("/_synapse/client/first");
  });

  test.each([
    [["check", "nowhere.yaml"], "there is no file or folder nowhere.yaml"],
    [
      ["check", "empty.yaml"],
      "no module in empty.yaml is synapse_module_bridge.ModuleBridge: add it to `modules`",
    ],
    [["check", "broken.yaml"], "broken.yaml: "],
  ])("fails where there is nothing to check: %j", async (args, message) => {
    folder.write("empty.yaml", "server_name: x\n");
    folder.write("broken.yaml", "a: [\n");
    const { code: status, err } = await run(args);
    expect(err).toContain(message);
    expect(status).toBe(1);
  });

  test("takes one module, and says that its config was not checked", async () => {
    folder.write(
      "wants.ts",
      `export default { configSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] }, callbacks: { user_may_invite() {} } };`,
    );
    const bare = await run(["check", "wants.ts"]);
    expect([bare.code, bare.out]).toEqual([
      0,
      expect.stringContaining(
        "Not checked: its config, and what depends on it (word is required). Give one with --config FILE.",
      ),
    ]);
    folder.write("word.yaml", "word: 3\n");
    const wrong = await run(["check", "wants.ts", "--config", "word.yaml"]);
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining("word.yaml: word: must be string")]);
  });
});

describe("check with the author's own tsc", () => {
  // Stands for TypeScript: what matters is which is run, with what, and how its output is read.
  const tsc = (body: string) => `const args = process.argv.slice(2); ${body}`;
  const install = (name: string, body: string) => {
    folder.write(
      `${name}/node_modules/typescript/package.json`,
      `{ "version": "7.0.2", "bin": { "tsc": "bin/tsc" } }`,
    );
    folder.write(`${name}/node_modules/typescript/bin/tsc`, tsc(body));
    return folder.write(`${name}/module.ts`, moduleOf("user_may_invite", "return NOT_SPAM;"));
  };

  test("tells its errors as faults", async () => {
    const file = install(
      "wrong",
      "console.log('module.ts(3,5): error TS2322: Type A is not B.'); process.exit(2);",
    );
    const { code: status, out } = await run(["check", file]);
    expect(out).toContain("modules.0.path: module.ts(3,5): error TS2322: Type A is not B.");
    expect(status).toBe(1);
  });

  test("uses the tsconfig.json that includes the module, else strict defaults", async () => {
    const file = install(
      "project",
      `if (args.includes("-p")) console.log(${JSON.stringify(folder.root)} + "/project/module.ts");`,
    );
    folder.write("project/tsconfig.json", "{}");
    expect((await run(["check", file])).out).toMatch(
      /types checked by tsc 7\.0\.2 with .*project\/tsconfig\.json/,
    );
    const other = install(
      "aside",
      `if (!args.includes("-p") && !args.includes("--ignoreConfig")) process.exit(3);`,
    );
    folder.write("aside/tsconfig.json", "{}");
    const { code: status, out } = await run(["check", other]);
    expect(out).toContain("types checked by tsc 7.0.2 with strict defaults: no tsconfig.json includes it");
    expect(status).toBe(0);
  });

  test.each([
    ["there is none", undefined, "types not checked: there is no typescript in a node_modules above it"],
    [
      "the types of the bridge are missing",
      "console.log(\"x.ts(1,1): error TS2307: Cannot find module 'synapse-module-bridge'.\"); process.exit(2);",
      "types not checked: the types of the bridge are missing beside it (npm install --save-dev synapse-module-bridge)",
    ],
  ])("says that types were not checked where %s", async (name, body, note) => {
    const file = body
      ? install(name.replaceAll(" ", "-"), body)
      : folder.write("alone/module.ts", moduleOf("user_may_invite", ""));
    const { code: status, out } = await run(["check", file]);
    expect(out).toContain(note);
    expect(status).toBe(0);
  });
});

describe("call", () => {
  test("prints the answer alone on standard output, whatever the module prints", async () => {
    const file = folder.write(
      "answers.ts",
      moduleOf(
        "user_may_invite",
        "console.log('noise'); return params.inviter.startsWith('@bad') ? [Codes.FORBIDDEN, { why: context.api.server_name }] : NOT_SPAM;",
        "setInterval(() => {}, 1000);",
      ),
    );
    const params = { inviter: "@bad:x", invitee: "@b:x", room_id: "!r:x" };
    const {
      code: status,
      out,
      err,
    } = await run(["call", file, "user_may_invite", "-", "--server-name", "my.org"], JSON.stringify(params));
    expect(JSON.parse(out)).toEqual(["M_FORBIDDEN", { why: "my.org" }]);
    expect(err).toMatch(/noise/);
    expect(err).toMatch(/user_may_invite: answered in [\d.]+ ms/);
    expect(status).toBe(0);
  });

  test("runs setup with the config, and takes the room's state from the parameters", async () => {
    const file = folder.write(
      "stateful.ts",
      `export default { setup: ({ config }) => config.word, callbacks: { async check_event_allowed({ state_events }, { data }) {
        return { content: { data, topic: (await state_events.get("m.room.topic", ""))?.content.topic ?? null, keys: await state_events.keys() } }; } } };`,
    );
    folder.write("config.yaml", "word: configured\n");
    const topic = event({ type: "m.room.topic", state_key: "", content: { topic: "tea" } });
    folder.write("params.json", JSON.stringify({ event: event(), state_events: { events: [topic] } }));
    const { out } = await run([
      "call",
      file,
      "check_event_allowed",
      "params.json",
      "--config",
      "config.yaml",
    ]);
    expect(JSON.parse(out)).toEqual({
      content: { data: "configured", topic: "tea", keys: [["m.room.topic", ""]] },
    });
    folder.write("bare.json", JSON.stringify({ event: event() }));
    const bare = await run(["call", file, "check_event_allowed", "bare.json", "--config", "config.yaml"]);
    expect(JSON.parse(bare.out)).toEqual({ content: { data: "configured", topic: null, keys: [] } });
  });

  test.each([
    [
      "parameters that do not fit",
      "return NOT_SPAM;",
      "{}",
      /user_may_invite: params must have required property 'inviter'/,
    ],
    [
      "parameters of a wrong type",
      "return NOT_SPAM;",
      '{ "inviter": 1, "invitee": "", "room_id": "" }',
      /user_may_invite: params\.inviter must be string/,
    ],
    ["parameters that are not JSON", "return NOT_SPAM;", "{", /standard input: .*JSON/],
    ["a handler that throws", "throw new Error('oops');", undefined, /user_may_invite threw Error: oops/],
    ["a SynapseError", "throw new SynapseError(403, 'no', 'M_FORBIDDEN');", undefined, /403 M_FORBIDDEN: no/],
    ["an answer that does not fit", "return 42;", undefined, /answered 42; expected NOT_SPAM/],
    [
      "a question to Synapse",
      "await context.api.is_user_admin({ user_id: '@a:b' });",
      undefined,
      /there is no Synapse to ask for is_user_admin/,
    ],
  ])("fails on %s", async (title, body, input, message) => {
    const file = folder.write(`${title.replaceAll(" ", "-")}.ts`, moduleOf("user_may_invite", body));
    const fit = JSON.stringify({ inviter: "@a:b", invitee: "@c:d", room_id: "!r:x" });
    const { code: status, out, err } = await run(["call", file, "user_may_invite", "-"], input ?? fit);
    expect(err).toMatch(message);
    expect([status, out]).toEqual([1, ""]);
  });

  test("fails on a callback that the module lacks, and on a module that does not load", async () => {
    const file = folder.write("lacks.ts", moduleOf("user_may_invite", ""));
    expect((await run(["call", file, "user_may_invit"])).err).toContain(
      "lacks has no callback user_may_invit (did you mean user_may_invite?); it has user_may_invite",
    );
    const { code: status, err } = await run(["call", "gone.ts", "user_may_invite"]);
    expect([status, err]).toEqual([1, expect.stringContaining("there is no file or folder")]);
  });
});

test("host, run by hand, says what it is and fails", async () => {
  const { code: status, err } = await run(["host"]);
  expect(err).toContain("This is the host that Synapse starts for its modules, and of no use by hand");
  expect(status).toBe(1);
});

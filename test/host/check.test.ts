// The command `check`, as a person runs it.
import { chmodSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { folder, run } from "./command-line.js";
import { moduleOf } from "./rig.js";

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
          check_username_for_spam: { ttl: "10m", handler() {} },
          auth_checkers: [{ login_type: "m.login.password", fields: ["password"], match: { username: ["a*"] }, handler() {} }, { login_type: "org.a", fields: [], handler() {} }],
          add_field_to_unsigned_callback: { match: { type: ["m.a"] }, fields: { by: { $event: "sender" } } },
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
        "callback  asked, in order  only if  room state sent  kept for  if it fails  timeout",
        "check_username_for_spam  first  -  -  10m  allow  3s, federated 500ms",
        "auth_checkers  first  m.login.password by password; username: a*  -  -  allow  3s, federated 500ms",
        "first  org.a by nothing  -  -",
        "add_field_to_unsigned_callback  first  type: m.a  -  no call  allow  3s, federated 500ms",
        "user_may_invite  first  -  -  -  defer  1m",
        "other  -  -  -",
        "check_event_allowed  first  type: m.room.message; not sender: @bot:*; local  m.room.create, m.room.member/*  -  defer *  3s, federated 500ms",
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
        "modules: [{ path: unknown.ts }, { path: gone.ts }]\nworkers: [w1]\ncallbacks: { nonsense: {}, on_new_event: { workers: [main] } }",
      ),
    );
    const { code: status, out } = await run(["check", "bad.yaml"]);
    expect(out.replaceAll(`${folder.root}/`, "")).toContain(`4 faults:
  modules[1].config.callbacks.nonsense: is no callback of Synapse
  modules[1].config.callbacks.on_new_event.workers: no process would ask: \`workers\` starts Node in w1
  modules[1].config.modules[0].path: unknown.ts: unknown callback user_may_invte (did you mean user_may_invite?)
  modules[1].config.modules[1].path: there is no file or folder gone.ts
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
      "modules[0].shadow: must be boolean",
      "modules[0].grants: must be a list of ModuleApi methods, or all",
      "modules[0].nme: unknown key (did you mean name?)",
      "timeout: must be a duration (milliseconds, or a number with s, m, h, d, w or y, such as 5s), or { local: <duration>, federated: <duration> }",
      "on_failure: must be allow, deny or defer, or { local: <one of these>, federated: <one of these> }",
      "workers: must be a list of worker names; `main` is the main process",
      "callbacks.user_may_invite.timeout.local: must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as 5s",
      "start_timeout: must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as 5s",
      "memory: must be a size: bytes, or a number with K, M or G, such as 256M",
      "env[0]: must be the name of an environment variable",
    ]) {
      expect(out).toContain(`modules[1].config.${line}\n`);
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
    [
      ["check", "hollow"],
      "there is nothing to check in hollow: give homeserver.yaml, a folder with .yaml files",
    ],
    [["check", "good.yaml", "--config", "x.yaml"], "--config goes with one module; with homeserver.yaml, a"],
    [
      ["check", "a.ts", "b.ts", "--config", "x.yaml"],
      "--config goes with one module: check these one by one",
    ],
    [["check", "a.ts", "good.yaml"], "check either modules (a.ts) or the files of homeserver.yaml"],
  ])("fails where there is nothing to check: %j", async (args, message) => {
    folder.write("empty.yaml", "server_name: x\n");
    folder.write("broken.yaml", "a: [\n");
    folder.write("hollow/notes.txt", "");
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
    expect(bare.out).toContain("user_may_invite");
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

  test("lists what a module declares without its config, all but what is computed from it", async () => {
    folder.write(
      "computed.ts",
      `export default {
        configSchema: { type: "object", required: ["word"] },
        callbacks: {
          user_may_invite: { match: ({ word }) => ({ room_id: [word] }), handler() {} },
          user_may_create_room: { match: { local: true }, handler() {} },
        },
        web_resources: ({ word }) => ({ [word]: () => 1 }) };`,
    );
    folder.write("path.yaml", "word: /_synapse/client/word\n");
    const squeeze = (out: string) => out.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));
    const bare = await run(["check", "computed.ts"]);
    expect(squeeze(bare.out)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^user_may_invite {2}computed {2}\(depends on config\) {2}/),
        expect.stringMatching(/^user_may_create_room {2}computed {2}local {2}/),
        "(depends on config)  computed",
        "No faults.",
      ]),
    );
    const { out } = await run(["check", "computed.ts", "--config", "path.yaml"]);
    expect(out).toContain("room_id: /_synapse/client/word");
    expect(out).not.toContain("depends on config");
  });

  test("tells the faults of what is written down also where the config is not known", async () => {
    folder.write(
      "literal.ts",
      `export default { configSchema: { required: ["word"] }, callbacks: { user_may_invite: { match: { room_id: "!r:x" }, handler() {} } } };`,
    );
    const { code: status, out } = await run(["check", "literal.ts"]);
    expect(out).toContain(
      `One fault:\n  ${folder.root}/literal.ts: callbacks.user_may_invite.match["room_id"] must be a boolean`,
    );
    expect(status).toBe(1);
  });

  test("takes several modules, each by itself", async () => {
    folder.write("alike/one.ts", moduleOf("user_may_invite", ""));
    folder.write("other/one.ts", moduleOf("user_may_invite", ""));
    folder.write("typo.mjs", "export default { callbacks: { user_may_invte() {} } };");
    const { code: status, out } = await run(["check", "alike/one.ts", "other/one.ts", "typo.mjs"]);
    expect(out.match(/No faults\./g)).toHaveLength(2);
    expect(out).toContain(`One fault:\n  ${folder.root}/typo.mjs: unknown callback user_may_invte`);
    expect(status).toBe(1);
  });

  test("looks whether Node runs, and has the memory to start", async () => {
    const old = folder.write("old-node", "#!/bin/sh\necho v18.2.0\n");
    chmodSync(old, 0o755);
    folder.write("plain-node", "no program");
    const faults = async (node: string, memory: string) => {
      const yaml = `modules: [{ path: second.js }]\nnode: ${node}\nmemory: ${memory}`;
      folder.write("node.yaml", homeserver(yaml));
      const { out } = await run(["check", "node.yaml"]);
      return out.replaceAll(`${folder.root}/`, "").split("faults:\n").at(-1)?.trim().split(/\n */);
    };
    const little = "modules[1].config.memory: must be at least 16M: Node needs that much to start";
    const remedy = "set `node:` to the path of Node >= 20.19";
    expect(await faults("gone/node", "16383K")).toEqual([
      `modules[1].config.node: cannot run gone/node: No such file or directory; ${remedy}`,
      little,
    ]);
    expect(await faults("plain-node", "1000")).toEqual([
      `modules[1].config.node: cannot run plain-node: Permission denied; ${remedy}`,
      little,
    ]);
    expect(await faults("old-node", "15M")).toEqual([
      "modules[1].config.node: old-node is v18.2.0; Node >= 20.19 is needed",
      little,
    ]);
    expect((await faults(process.execPath, "16M"))?.at(-1)).toBe("No faults.");
  });
});

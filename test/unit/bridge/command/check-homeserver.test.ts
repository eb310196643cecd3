// The command `check` of the wheel, as an admin runs it before a start of Synapse: it reads what Synapse would read.
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { describe, expect, jest, test } from "@jest/globals";
import { folder, runWheel as run } from "./command-line.js";

// The first run imports Synapse, which on a busy machine takes seconds.
jest.setTimeout(120_000);

const homeserver = (config: string) => `server_name: example.org
modules:
  - module: another.Module
  - module: synapse_module_bridge.ModuleBridge
    config:
${config.replace(/^/gm, "      ")}
`;

describe("check of a homeserver.yaml", () => {
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
        "callback  asked, in order  only if  room state sent  kept for  if it fails  timeout  process",
        "check_username_for_spam  first  -  -  10m  allow  3s, federated 500ms  all",
        "auth_checkers  first  m.login.password by password; username: a*  -  -  allow  3s, federated 500ms  all",
        "first  org.a by nothing  -  -",
        "add_field_to_unsigned_callback  first  type: m.a  -  no call  allow  3s, federated 500ms  all",
        "user_may_invite  first  -  -  -  defer  1m  all",
        "other  -  -  -",
        "check_event_allowed  first  type: m.room.message; not sender: @bot:*; local  m.room.create, m.room.member/*  -  defer *  3s, federated 500ms  all",
        "/_synapse/client/first  first",
        "No faults.",
      ]),
    );
    expect(status).toBe(0);
  });

  test("tells once that the folder of recordings is open to others, and makes none", async () => {
    folder.write("first.ts", "export default { callbacks: { user_may_invite() {} } };");
    folder.write("open/file", "");
    chmodSync(folder.path("open"), 0o755);
    const check = async (name: string) => {
      const modules = "modules: [{ path: first.ts }, { path: first.ts, name: alone, isolated: true }]";
      folder.write("record.yaml", homeserver(`${modules}\nrecord: { folder: ${name} }`));
      const { code, out, err } = await run(["check", "record.yaml"]);
      return { code, told: `${out}${err}`.split("\n").filter((line) => line.includes("record")) };
    };
    expect(await check("open")).toEqual({
      code: 1,
      told: [expect.stringMatching(/record\.folder: .*open is open to other users/)],
    });
    expect(await check("none-yet")).toEqual({ code: 0, told: [] });
    expect(existsSync(folder.path("none-yet"))).toBe(false);
  });

  test("prints which modules run in threads", async () => {
    folder.write("threads.ts", "export default { callbacks: { user_may_invite() {} } };");
    const kinds = ["", "shadow: true", "isolated: true", "shadow: true, isolated: true"];
    const modules = kinds.map((kind, index) => `{ path: threads.ts, name: m${index}, ${kind} }`);
    folder.write("threads.yaml", homeserver(`modules: [${modules}]`));
    const { out } = await run(["check", "threads.yaml"]);
    expect(out.match(/m\d.*?(?= {2})/g)).toEqual([
      "m0",
      "m1 (shadow, in the thread of the shadow modules)",
      "m2 (in a thread of its own)",
      "m3 (shadow, in a thread of its own)",
    ]);
  });

  test("knows modes, and only warns of what is wrong with a module that is off", async () => {
    folder.write("sound.ts", "export default { callbacks: { user_may_invite() {} } };");
    folder.write("broken.ts", "export default {");
    const entries = ["mode: off", "mode: 'off'", "mode: shadow", "mode: enforce, shadow: false"];
    const modules = entries.map((mode, index) => `{ path: sound.ts, name: m${index}, ${mode} }`);
    folder.write("modes.yaml", homeserver(`modules: [${modules}, { path: broken.ts, mode: off }]`));
    const { code, out } = await run(["check", "modes.yaml"]);
    expect(out.match(/m\d.*?(?= {2})/g)).toEqual([
      "m0 (off)",
      "m1 (off)",
      "m2 (shadow, in the thread of the shadow modules)",
      "m3",
    ]);
    expect(out).toMatch(/Warning: a module that is off could not be switched on: .*broken\.ts:1/);
    expect(code).toBe(0);
    const wrong = ["mode: on", "mode: shadow, shadow: false", "mode: off, shadow: true"];
    const listed = wrong.map((mode) => `{ path: sound.ts, ${mode} }`);
    folder.write("wrong.yaml", homeserver(`modules: [${listed[0]}]`));
    expect((await run(["check", "wrong.yaml"])).out).toContain("mode: must be enforce, shadow or off");
    folder.write("wrong.yaml", homeserver(`modules: [${listed.slice(1)}]`));
    const { out: told } = await run(["check", "wrong.yaml"]);
    expect(told).toContain(
      "modules[0].mode: shadow: false and mode: shadow contradict each other: keep one of them",
    );
    expect(told).toContain(
      "modules[1].mode: shadow: true and mode: off contradict each other: keep one of them",
    );
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

  test("refuses a name that modules of two bridges have", async () => {
    folder.write("first.ts", "export default { callbacks: { user_may_invite() {} } };");
    const entry = "{ module: synapse_module_bridge.ModuleBridge, config: { modules: [{ path: first.ts }] } }";
    folder.write("two.yaml", `server_name: example.org\nmodules: [${entry}, ${entry}]\n`);
    const { code: status, out } = await run(["check", "two.yaml"]);
    expect(out).toContain(
      "modules[1].config.modules[0].name: a module of another bridge in homeserver.yaml is called first already: give each a `name` of its own",
    );
    expect([status, out.split("No faults.").length]).toEqual([1, 2]);
  });

  test("compares the grants that a module needs with those that it has", async () => {
    const file = folder.write(
      "needy.ts",
      `export default { grants: ["store", "send_mail"], callbacks: {} };`,
    );
    const enough = "{ path: needy.ts, name: enough, grants: [send_mail, store] }";
    folder.write("lacking.yaml", homeserver(`modules: [{ path: needy.ts, grants: [send_mail] }, ${enough}]`));
    const { code: status, out } = await run(["check", "lacking.yaml"]);
    expect(out).toContain(
      `One fault:\n  modules[1].config.modules[0].grants: ${file}: needs \`grants: [send_mail, store]\` beside its \`path\`\n`,
    );
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
      "modules[0].shadow: must be true or false, and is a whole number",
      "modules[0].grants: must be a list of ModuleApi methods, or all",
      "modules[0]: unknown key 'nme'; the keys are path, name, config, config_file, grants, mode, shadow, isolated",
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

  test("names the file of several that holds, and passes over what is empty or no YAML", async () => {
    folder.write("conf.d/00-empty.yaml", "");
    folder.write("conf.d/10-modules.yaml", homeserver("modules: [{ path: first.ts }]"));
    folder.write("conf.d/20-other.yaml", "report_stats: false\n");
    folder.write("conf.d/30-notes.txt", "not: [yaml");
    folder.write("worse.yaml", homeserver("modules: [{ path: gone.ts }]"));
    expect((await run(["check", "conf.d", "worse.yaml", "conf.d/20-other.yaml"])).out).toContain(
      "worse.yaml: modules[1].config.modules[0].path: there is no file or folder",
    );
  });

  test.each([
    [["check", "nowhere.yaml"], "there is no file nowhere.yaml"],
    [
      ["check", "empty.yaml"],
      "no module in empty.yaml is synapse_module_bridge.ModuleBridge: add it to `modules`",
    ],
    [
      ["check", "none.yaml"],
      "no module in none.yaml is synapse_module_bridge.ModuleBridge: add it to `modules`",
    ],
    [
      ["check", "joined.yaml"],
      "no module in joined.yaml is synapse_module_bridge.ModuleBridge: it is in joined.yaml, but not under `modules:`",
    ],
    [
      ["check", "good.yaml", "none.yaml"],
      "it is in good.yaml, but Synapse takes `modules` from none.yaml, the last file that has it",
    ],
    [["check", "no-list.yaml"], "modules must be a list"],
    [["check", "broken.yaml"], "broken.yaml:2:1: expected the node content"],
    [
      ["check", "latin.yaml"],
      "latin.yaml is not UTF-8 (the first wrong byte is in line 2): save it as UTF-8",
    ],
    [["check", "hollow"], "there is no .yaml file in hollow"],
    [
      ["check", "good.yaml", "--config", "x.yaml"],
      "--config goes with one module; in homeserver.yaml, a module's",
    ],
    [
      ["check", "a.ts", "b.ts", "--config", "x.yaml"],
      "--config goes with one module: check these one by one",
    ],
    [["check", "a.ts", "good.yaml"], "check either modules (a.ts) or the files of homeserver.yaml"],
  ])("cannot look, and says why: %j", async (args, message) => {
    folder.write("empty.yaml", "server_name: x\n");
    folder.write("none.yaml", "server_name: x\nmodules:\n");
    // As Synapse's generated file, whose last line has no end, with the entry appended.
    const generated = "trusted_key_servers:\n  - server_name: matrix.org\n# vim:ft=yaml";
    folder.write("joined.yaml", `${generated}modules:\n  - module: synapse_module_bridge.ModuleBridge\n`);
    folder.write("no-list.yaml", "modules: { a: 1 }\n");
    writeFileSync(folder.write("latin.yaml", ""), Buffer.from("a: 1\nb: ü\n", "latin1"));
    folder.write("broken.yaml", "a: [\n");
    folder.write("hollow/notes.txt", "");
    const { code: status, out, err } = await run(args);
    expect(err.trim().split("\n").at(-1)).toContain(message);
    expect([status, out]).toEqual([2, ""]);
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
      little,
      `modules[1].config.node: cannot run gone/node: No such file or directory; ${remedy}`,
    ]);
    expect(await faults("plain-node", "1000")).toEqual([
      little,
      `modules[1].config.node: cannot run plain-node: Permission denied; ${remedy}`,
    ]);
    expect(await faults("old-node", "15M")).toEqual([
      little,
      "modules[1].config.node: old-node is v18.2.0; Node >= 20.19 is needed",
    ]);
    expect((await faults(process.execPath, "16M"))?.at(-1)).toBe("No faults.");
  });
});

describe("the command of the wheel", () => {
  test("lists what it can do, as its own help", async () => {
    const { code, out, err } = await run(["--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ {2}check +check homeserver\.yaml or modules/m);
    expect(out).toMatch(/^ {2}call +ask a module/m);
    expect(out).not.toContain("host ");
    expect(await run(["help"])).toEqual({ code, out, err });
    expect(await run([])).toEqual({ code: 1, out: "", err: out });
  });

  test.each([[["check", "--help"]], [["help", "check"]]])("describes check: %j", async (args) => {
    const { code, out } = await run(args);
    expect(out).toContain("the files and folders that Synapse is started with");
    expect(code).toBe(0);
  });

  test("leaves the help of call to the host", async () => {
    const { code, out } = await run(["call", "--help"]);
    expect(out).toContain("a JSON file with the callback's parameters");
    expect(code).toBe(0);
  });
});

// The command `check` of npm's package, as an author of modules runs it.
import { describe, expect, test } from "@jest/globals";
import { moduleOf } from "../rig.js";
import { folder, run } from "./command-line.js";

describe("check", () => {
  test("prints what a module is asked about, and when", async () => {
    folder.write(
      "first.ts",
      `export default {
        callbacks: {
          check_username_for_spam: { ttl: "10m", handler() {} },
          check_event_allowed: { match: { type: ["m.room.message"] }, room_state: [["m.room.create", ""]], handler() {} },
        },
        web_resources: { "/_synapse/client/first": () => 1 } };`,
    );
    const { code: status, out } = await run(["check", "first.ts"]);
    const squeezed = out.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));
    expect(squeezed).toEqual(
      expect.arrayContaining([
        "callback  asked, in order  only if  room state sent  kept for",
        "check_username_for_spam  first  -  -  10m",
        "check_event_allowed  first  type: m.room.message  m.room.create  -",
        "/_synapse/client/first  first",
        "No faults.",
      ]),
    );
    expect(status).toBe(0);
  });

  test("leaves out an empty list under `not`, which excludes nothing", async () => {
    folder.write(
      "unless.ts",
      `export default {
        callbacks: {
          check_event_allowed: { match: { type: [], not: { sender: [], room_id: ["!a:b"] } }, handler() {} },
          check_username_for_spam: { match: { not: { user_id: [] } }, handler() {} },
        } };`,
    );
    const { out } = await run(["check", "unless.ts"]);
    expect(out).toContain("  type: (nothing); not room_id: !a:b  ");
    expect(out).toMatch(/check_username_for_spam +unless +- +-/);
  });

  test("tells which grants a module needs, which is no fault of its own", async () => {
    const file = folder.write(
      "needy.ts",
      `export default { grants: ["store", "send_mail"], callbacks: {} };`,
    );
    const { code: status, out } = await run(["check", "needy.ts"]);
    expect(out).toContain(`${file}: needs \`grants: [store, send_mail]\` beside its \`path\`\n`);
    expect(out).toContain("No faults.");
    expect(status).toBe(0);
  });

  test.each([
    [
      ["homeserver.yaml"],
      "`synapse-module-bridge check homeserver.yaml`, or `python -m synapse_module_bridge check",
    ],
    [
      ["a.ts", "conf.d"],
      "this command checks modules (a file, or a folder with a package.json), and not conf.d: ",
    ],
    [["a.ts", "b.ts", "--config", "x.yaml"], "--config goes with one module: check these one by one"],
    [["a.ts", "gone.ts"], "there is no file or folder "],
  ])("cannot look, and says why: %j", async (args, message) => {
    folder.write("homeserver.yaml", "server_name: x\n");
    folder.write("conf.d/modules.yaml", "modules: []\n");
    for (const name of ["a.ts", "b.ts"]) folder.write(name, "export default { callbacks: {} };");
    const { code: status, out, err } = await run(["check", ...args]);
    expect(err).toContain(message);
    expect([status, out]).toEqual([2, ""]);
  });

  test("takes a .tsx file for a module, and says which package its JSX needs", async () => {
    folder.write("comp.tsx", "export default { callbacks: { user_may_invite: () => <div/> } };");
    const { code: status, out } = await run(["check", "comp.tsx"]);
    expect(out).toMatch(/Cannot find module 'react\/jsx-runtime' \(imported by .*comp\.tsx\)/);
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
        configSchema: { type: "object", properties: { word: {} }, required: ["word"] },
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
      `export default { configSchema: { properties: { word: {} }, required: ["word"] }, callbacks: { user_may_invite: { match: { room_id: "!r:x" }, handler() {} } } };`,
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
});

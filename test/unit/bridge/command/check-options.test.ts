// The options that `check` has in npm's package and in the wheel: JSON for programs, another release of Synapse, and another
// user of the system.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { Ajv } from "ajv";
import type { CheckReport } from "../../../../bridge/command/check-report.js";
import { projectRoot, venvPython } from "../../../support/paths.js";
import { folder, run, runWheel } from "./command-line.js";

// The first run imports Synapse, which on a busy machine takes seconds.
jest.setTimeout(120_000);

const ROOT = new URL("../../../../", import.meta.url);
const NOBODY = 65_534;
const schema = JSON.parse(readFileSync(new URL("schemas/check.schema.json", ROOT), "utf8"));
const fits = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

const homeserver = (config: string) =>
  `server_name: example.org\nmodules: [{ module: synapse_module_bridge.ModuleBridge, config: ${config} }]\n`;

/** What `check --json` prints, which must fit its schema. */
function reportOf(out: string): CheckReport {
  const report = JSON.parse(out);
  fits(report);
  expect(fits.errors ?? []).toEqual([]);
  return report;
}

describe("--json", () => {
  test("describes a module alone", async () => {
    const file = folder.write(
      "first.js",
      `module.exports = {
        configSchema: { type: "object", properties: { words: {} }, required: ["words"] },
        callbacks: {
          check_username_for_spam: { ttl: "10m", handler() {} },
          check_event_allowed: {
            match: (config) => ({ type: config.words }), room_state: [["m.room.create", ""]], handler() {},
          },
          auth_checkers: [{ login_type: "m.login.password", fields: ["password"], handler() {} }],
        },
        web_resources: { "/_synapse/client/first": () => 1 }, broadcasts: { topic() {} } };`,
    );
    const { code, out, err } = await run(["check", "first.js", "--json"]);
    expect([code, err]).toEqual([0, ""]);
    expect(reportOf(out)).toEqual({
      result: "good",
      faults: [],
      warnings: [expect.stringMatching(/^Not checked: its config.*words is required/)],
      modules: [
        {
          name: "first",
          file,
          types: "JavaScript: no types to check",
          mode: "enforce",
          thread: "main",
          callbacks: [
            { name: "check_username_for_spam", ttl: "10m" },
            { name: "check_event_allowed", match: null, room_state: [["m.room.create", ""]] },
            { name: "auth_checkers", login_type: "m.login.password", fields: ["password"] },
          ],
          web_resources: ["/_synapse/client/first"],
          broadcasts: ["topic"],
        },
      ],
    });
  });

  test("has the faults of several modules, each with its file", async () => {
    const file = folder.write("wrong.js", "module.exports = { callbacks: { user_may_invte() {} } };");
    folder.write("right.js", "module.exports = { callbacks: { user_may_invite() {} } };");
    const { code, out } = await run(["check", "right.js", "wrong.js", "--json"]);
    const { result, faults, modules } = reportOf(out);
    expect([code, result, modules.map(({ name }) => name)]).toEqual([1, "faults", ["right", "wrong"]]);
    expect(faults).toEqual([
      { at: file, message: expect.stringContaining("unknown callback user_may_invte") },
    ]);
  });

  test("says that a module ends Node, and that there is nothing to check", async () => {
    folder.write("ends.js", "process.exit(3);");
    const ended = await run(["check", "ends.js", "--json"]);
    expect([ended.code, reportOf(ended.out)]).toEqual([
      1,
      expect.objectContaining({
        result: "faults",
        faults: [{ at: "", message: expect.stringMatching(/ends\.js: Node ended.*exit code 3/) }],
      }),
    ]);
    const missing = await run(["check", "gone.js", "--json"]);
    expect([missing.code, reportOf(missing.out)]).toEqual([
      2,
      expect.objectContaining({ result: "not_looked", why: expect.stringContaining("gone.js") }),
    ]);
  });

  test("describes all of a homeserver.yaml, from several files and folders", async () => {
    folder.write(
      "conf.d/10-modules.yaml",
      homeserver("{ modules: [{ path: right.js, isolated: true, mode: shadow }] }"),
    );
    folder.write("conf.d/20-other.yaml", "report_stats: false\n");
    folder.write("last.yaml", "report_stats: true\n");
    folder.write("right.js", "module.exports = { callbacks: { user_may_invite() {} } };");
    const { code, out } = await runWheel(["check", "--json", "conf.d", "last.yaml"]);
    const report = reportOf(out);
    expect([code, report.result, report.faults]).toEqual([0, "good", []]);
    expect(report.synapse).toMatch(/^\d+\.\d+\.\d+/);
    const terms = { policy: { local: "defer", federated: "defer" }, processes: [] };
    expect(report.modules).toMatchObject([
      { name: "right", mode: "shadow", thread: "own", callbacks: [{ name: "user_may_invite", ...terms }] },
    ]);
  });

  test("has the faults of a homeserver.yaml with their place, and why nothing could be checked", async () => {
    folder.write("faulty.yaml", homeserver("{ modules: [{ path: none.js }], timeout: 5 }"));
    const faulty = await runWheel(["check", "--json", "faulty.yaml"]);
    expect([faulty.code, reportOf(faulty.out).faults]).toEqual([
      1,
      [{ at: "modules[0].config.modules[0].path", message: expect.stringContaining("none.js") }],
    ]);
    const nowhere = await runWheel(["check", "--json", "nowhere.yaml"]);
    expect([nowhere.code, reportOf(nowhere.out)]).toEqual([
      2,
      { result: "not_looked", why: "there is no file nowhere.yaml", faults: [], warnings: [], modules: [] },
    ]);
  });
});

describe("--synapse", () => {
  const MODULE = `module.exports = { callbacks: {
    user_may_send_state_event() {}, user_may_create_room() {},
    check_username_for_spam: { match: { requester_id: ["@a:*"] }, handler() {} } } };`;

  test("tells which callbacks and parameters of a module a release lacks", async () => {
    folder.write("newer.js", MODULE);
    const { code, out } = await run(["check", "newer.js", "--synapse", "1.120.0"]);
    expect(out).toContain("newer: Synapse 1.120.0 lacks user_may_send_state_event, which came with 1.132.0");
    expect(out).toContain(
      "Synapse 1.120.0 calls user_may_create_room without room_config, which came with 1.132.0",
    );
    expect(out).toMatch(/match\["requester_id"\] can never hold: this Synapse \(1\.120\.0\)/);
    expect([code, out.includes("2 faults:")]).toEqual([1, true]);
    expect((await run(["check", "newer.js", "--synapse", "1.132.0rc1"])).code).toBe(0);
  });

  test("holds a homeserver.yaml against that release, not against the one that is installed", async () => {
    folder.write("newer.js", MODULE);
    folder.write("newer.yaml", homeserver("{ modules: [{ path: newer.js }] }"));
    const { code, out } = await runWheel(["check", "newer.yaml", "--synapse", "1.131.0", "--json"]);
    const report = reportOf(out);
    expect([code, report.synapse]).toEqual([1, "1.131.0"]);
    expect(report.faults).toEqual([
      {
        at: "modules[0].config.modules[0].path",
        message: expect.stringContaining("lacks user_may_send_state_event"),
      },
    ]);
    const optional = "callbacks: { user_may_send_state_event: { optional: true } }";
    folder.write("optional.yaml", homeserver(`{ modules: [{ path: newer.js }], ${optional} }`));
    const without = reportOf(
      (await runWheel(["check", "optional.yaml", "--synapse", "1.131.0", "--json"])).out,
    );
    expect(without.result).toBe("good");
    expect(without.warnings.join()).toContain("newer will not be asked");
  });

  test.each(["1.131", "latest", "1.99.0"])("refuses %s", async (version) => {
    folder.write("right.js", "module.exports = { callbacks: {} };");
    const { code, err } = await run(["check", "right.js", "--synapse", version]);
    expect([code, err]).toEqual([2, expect.stringMatching(/is no version of Synapse|is too old/)]);
  });
});

/** Only root can become another user, who has to be able to run Node and Python here. */
const runs = (program: string, ...args: string[]) =>
  spawnSync(program, args, { uid: NOBODY, cwd: ROOT, env: {} }).status === 0;
const canBecome =
  process.getuid?.() === 0 &&
  spawnSync("id", ["-u", "nobody"], { encoding: "utf8" }).stdout?.trim() === String(NOBODY) &&
  runs(process.execPath, "-e", "0");
const [release = ""] =
  spawnSync(venvPython(), ["--version"], { encoding: "utf8" }).stdout.match(/3\.\d+/) ?? [];
const sitePackages = path.join(path.dirname(venvPython()), `../lib/python${release}/site-packages`);
/** A Python that the user can run, of the release for which the packages are: the one in .venv may be root's own. */
const python = [venvPython(), `/usr/bin/python${release}`].find(
  (one) => canBecome && runs(one, "-c", "import json"),
);
const testAsRoot = python === undefined ? test.skip : test;

/** The wheel's command in a process of its own, with that Python. */
async function runAsRoot(args: string[]) {
  const { status, stdout, stderr } = spawnSync(String(python), ["-m", "synapse_module_bridge", ...args], {
    encoding: "utf8",
    cwd: folder.root,
    env: { PATH: process.env.PATH, PYTHONPATH: `${sitePackages}:${path.join(projectRoot, "python-shim")}` },
  });
  return { code: status, out: stdout, err: stderr };
}

describe("--user", () => {
  test.each([
    ["npm's", run],
    ["the wheel's", runWheel],
  ])("says that there is no such user: %s command", async (name, command) => {
    folder.write("right.js", "module.exports = { callbacks: {} };");
    folder.write("right.yaml", homeserver("{ modules: [{ path: right.js }] }"));
    const file = name === "npm's" ? "right.js" : "right.yaml";
    const { code, err } = await command(["check", file, "--user", "no-such-user"]);
    expect([code, err]).toEqual([2, "there is no user no-such-user\n"]);
  });

  testAsRoot(
    "names the folder that keeps the user from a module, a config or a homeserver.yaml",
    async () => {
      chmodSync(folder.root, 0o755);
      const closed = folder.path("closed");
      folder.write("closed/inner/module.js", "module.exports = { callbacks: {} };");
      folder.write("closed/inner/config.yaml", "a: 1");
      folder.write("open.js", "module.exports = { callbacks: {} };");
      chmodSync(closed, 0o700);
      const why = `may not be read by this user: the folder ${closed} does not let it pass (mode 0700, owner 0, group 0)`;
      const alone = await run(["check", "closed/inner/module.js", "--user", "nobody"]);
      expect([alone.code, alone.err]).toEqual([
        2,
        expect.stringContaining(`${closed}/inner/module.js ${why}`),
      ]);
      folder.write(
        "homeserver.yaml",
        homeserver(
          "{ modules: [{ path: closed/inner/module.js }, { path: open.js, config_file: closed/inner/config.yaml }] }",
        ),
      );
      const whole = await runAsRoot(["check", "homeserver.yaml", "--user", "nobody", "--json"]);
      expect([whole.code, reportOf(whole.out).faults]).toEqual([
        1,
        [
          { at: "modules[0].config.modules[0].path", message: `${closed}/inner/module.js ${why}` },
          { at: "modules[0].config.modules[1].config_file", message: `${closed}/inner/config.yaml ${why}` },
        ],
      ]);
      const unreadable = await runAsRoot(["check", "closed/inner/homeserver.yaml", "--user", "nobody"]);
      expect([unreadable.code, unreadable.err]).toEqual([2, expect.stringContaining(why)]);
    },
  );

  testAsRoot(
    "names a file that the user may not read, and a folder of recordings that it may not write",
    async () => {
      chmodSync(folder.root, 0o755);
      const secret = folder.write("secret.js", "module.exports = { callbacks: {} };");
      chmodSync(secret, 0o600);
      mkdirSync(folder.path("recordings"), { mode: 0o700 });
      const record = `record: { folder: ${folder.path("recordings")} }`;
      folder.write("record.yaml", homeserver(`{ modules: [{ path: secret.js }], ${record} }`));
      const { code, out } = await runAsRoot(["check", "record.yaml", "--user", "nobody", "--json"]);
      expect([code, reportOf(out).faults]).toEqual([
        1,
        [
          {
            at: "modules[0].config.record.folder",
            message: expect.stringContaining("may not be written by this user"),
          },
          {
            at: "modules[0].config.modules[0].path",
            message: `${secret} may not be read by this user (mode 0600, owner 0, group 0)`,
          },
        ],
      ]);
    },
  );

  testAsRoot("finds nothing wrong with what the user may read", async () => {
    chmodSync(folder.root, 0o755);
    folder.write("right.js", "module.exports = { callbacks: {} };");
    folder.write("right.yaml", homeserver("{ modules: [{ path: right.js }] }"));
    expect((await runAsRoot(["check", "right.yaml", "--user", "nobody"])).code).toBe(0);
  });
});

// The life of a host: what it tells about itself, setup with its retries, and how it ends.
import { describe, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { UNREADABLE } from "../../../../bridge/transport/framing.js";
import { folder, rig } from "../each-rig.js";
import { errorOf, moduleOf, SYNAPSE, VERSION } from "../rig.js";
import { INVITE } from "../samples.js";

const plain = folder.write("plain.ts", moduleOf("user_may_invite", "return NOT_SPAM;"));

describe("a match on a parameter", () => {
  const early = folder.write(
    "early.ts",
    `export default { callbacks: { user_may_create_room: {
       match: { "room_config.preset": ["public_chat"], not: { room_config: ["x"], user_id: ["y"] } }, handler() {} } } };`,
  );
  const faultsOn = async (version: string) =>
    (await rig.initialize([{ path: plain }, { path: early }], { synapse: { ...SYNAPSE, version } })).faults;

  test.each(["1.130.0", "1.99.9", "1.131.0rc2"])(
    "that Synapse %s does not give is a fault",
    async (version) => {
      const texts = (path: string) =>
        `early: callbacks.user_may_create_room.match["${path}"] can never hold: this Synapse (${version}) calls ` +
        "user_may_create_room without room_config, which came with 1.132.0. Upgrade Synapse, or leave the condition out";
      expect(await faultsOn(version)).toEqual(
        ["room_config.preset", "room_config"].map((path) => ({
          path: ["modules", 1, "path"],
          message: texts(path),
        })),
      );
    },
  );

  test.each(["1.132.0", "1.132.0rc1", "1.163.2", "2.0.0", "none"])(
    "that Synapse %s gives is none",
    async (version) => {
      expect(await faultsOn(version)).toEqual([]);
    },
  );
});

describe("initialize", () => {
  test("tells what each module declares, in order, before any setup has run", async () => {
    const path = folder.write(
      "declares.ts",
      `export default {
        setup() { throw new Error("too early"); },
        callbacks: {
          check_event_allowed: {
            match: { type: ["m.room.*"], local: true, not: { sender: ["@bot:*"] } },
            room_state: [["m.room.power_levels", ""], ["m.room.member", null]],
            handler() {},
          },
          user_may_invite() {},
        },
        web_resources: { "/_synapse/client/declares": () => ({}) },
      };`,
    );
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
    const { snapshot, ...told } = await rig.initialize([{ path }, { path: plain }]);
    expect(told).toEqual({
      version: VERSION,
      catalogue: catalogue().hash,
      runtime: `node ${process.version}`,
      broken: [],
      modules: [
        {
          name: "declares",
          callbacks: {
            check_event_allowed: {
              match: { type: ["m.room.*"], local: true, not: { sender: ["@bot:*"] } },
              room_state: [
                ["m.room.power_levels", ""],
                ["m.room.member", null],
              ],
            },
            user_may_invite: {},
          },
          broadcasts: [],
          web_resources: ["/_synapse/client/declares"],
          files: { [path]: digest },
          packages: expect.any(Object),
          not_kept: [],
        },
        {
          ...{ name: "plain", callbacks: { user_may_invite: {} }, broadcasts: [], web_resources: [] },
          ...{ files: { [plain]: digest }, packages: {}, not_kept: [] },
        },
      ],
      faults: [],
    });
    // One part for those that share a thread.
    expect(snapshot?.flatMap(({ names }) => names)).toEqual(["declares", "plain"]);
    for (const { text } of snapshot ?? []) expect(text).toMatch(/^[\w+/=]+$/);
    expect(rig.lines).toEqual([]);
  });

  test("tells the sound modules and the faults of the others", async () => {
    const { modules, faults } = await rig.initialize([{ path: "/nowhere.ts" }, { path: plain }]);
    expect(modules.map(({ name }) => name)).toEqual(["plain"]);
    expect(faults).toEqual([
      { path: ["modules", 0, "path"], message: "there is no file or folder /nowhere.ts" },
    ]);
  });

  test.each([
    [
      "another version",
      { version: "9.9.9" },
      /^the shim \(9\.9\.9, protocol 1\) has started a host of another version \(0\.\d\.0.*, protocol 1\)/,
    ],
    ["another catalogue", { catalogue: "x" }, /of the same version, but not of the same build/],
    ["another protocol", { protocol: 2 }, /protocol 2\) has started a host .*protocol 1\)/],
  ])("of a shim of %s is a fault that names both, and loads nothing", async (_, more, message) => {
    const { modules, faults } = await rig.initialize([{ path: plain }], more);
    expect(modules).toEqual([]);
    expect(faults).toEqual([{ path: [], message: expect.stringMatching(message) }]);
  });

  test("comes once", async () => {
    await rig.initialize([]);
    expect(await errorOf(rig.initialize([]))).toMatchObject({ code: -32600 });
  });
});

describe("setup", () => {
  const counted = (name: string, body: string) =>
    folder.write(
      name,
      `let attempts = 0;
       export default { setup({ api, config, signal, log }) { attempts++; ${body} },
         callbacks: { user_may_invite: (params, { data }) => String(data) } };`,
    );
  const call = (name: string) => rig.callback("user_may_invite", INVITE, [name]);

  test("gives data to the calls, which wait for it", async () => {
    const path = counted(
      "waits.ts",
      "return api.check_user_exists({ user_id: '@a:b' }).then((found) => found + api.server_name);",
    );
    const events: string[] = [];
    rig.shim.onRequest("api/check_user_exists", () => {
      events.push("setup has asked");
      return "ready on ";
    });
    await rig.initialize([{ path }]);
    const early = call("waits").finally(() => events.push("call was answered"));
    await rig.shim.sendNotification("start", {});
    expect(await early).toMatchObject({ answer: "ready on example.org" });
    expect(events).toEqual(["setup has asked", "call was answered"]);
  });

  test("may throw what has no text", async () => {
    await rig.load([{ path: counted("mute.ts", "throw Object.create(null);") }]);
    const { message } = await errorOf(call("mute"));
    expect(message).toBe("mute: its setup has not succeeded yet: something without a text");
  });

  test("that fails is told and tried again; calls fail at once until it succeeds", async () => {
    const path = counted(
      "flaky.ts",
      "if (attempts < 3) throw new Error('attempt ' + attempts); return 'third';",
    );
    await rig.load([{ path }]);
    const early = await errorOf(call("flaky"));
    expect(early).toMatchObject({ code: -32003, data: { module: "flaky" } });
    expect(early.message).toMatch(/^flaky: its setup has not succeeded yet: Error: attempt \d/);
    await waitFor("the setup", () => rig.lines.some(({ msg }) => msg === "flaky: setup has succeeded now"));
    expect(await call("flaky")).toMatchObject({ answer: "third" });
    const errors = rig.lines.filter(({ level }) => level === 50);
    expect(errors.map(({ module, msg }) => [module, msg])).toEqual([
      ["flaky", "flaky: setup failed: Error: attempt 1 (next try in 0.01 s)"],
      ["flaky", "flaky: setup failed: Error: attempt 2 (next try in 0.02 s)"],
    ]);
  });

  test("that hangs is given up after its time, and its signal aborted", async () => {
    const path = counted(
      "hangs.ts",
      "signal.onabort = () => log.info('aborted'); return attempts > 1 ? 'second' : new Promise(() => {});",
    );
    await rig.load([{ path }]);
    await waitFor("the setup", () => rig.lines.some(({ msg }) => msg === "hangs: setup has succeeded now"));
    expect(rig.lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining([
        "aborted",
        expect.stringContaining("hangs: setup failed: Error: it did not finish within 0.2 s"),
      ]),
    );
    expect(await call("hangs")).toMatchObject({ answer: "second" });
  });

  test("of one module is no matter of another", async () => {
    await rig.load([{ path: counted("never.ts", "throw new Error('never');") }, { path: plain }]);
    expect(await call("plain")).toMatchObject({ answer: "NOT_SPAM" });
  });
});

test("an unknown method is answered with an error", async () => {
  for (const method of ["callback/nonsense", "callback/constructor", "toString"]) {
    expect(await errorOf(rig.shim.sendRequest(method, {}))).toMatchObject({ code: -32601 });
  }
});

test("a request that is not JSON is refused alone", async () => {
  const refused = { code: -32602, message: "the parameters are not JSON" };
  expect(await errorOf(rig.shim.sendRequest(UNREADABLE, {}))).toMatchObject(refused);
});

test("when its input ends, the host finishes what is under way and what is still queued", async () => {
  const path = folder.write(
    "slow.ts",
    moduleOf("user_may_invite", "await new Promise((go) => setTimeout(go, 50)); return NOT_SPAM;"),
  );
  await rig.load([{ path }]);
  const answers = Array.from({ length: 20 }, () => rig.callback("user_may_invite", INVITE, ["slow"]));
  const ended = new Promise((resolve) => rig.host.connection.onClose(resolve));
  rig.hangUpGently();
  await ended;
  await rig.host.finish(1_000);
  for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ answer: "NOT_SPAM" });
});

// Modules are switched off, to shadow and on while a real Synapse runs, on SQLite, by the command that needs no token.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { writeConfig } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { type SynapseProcess, startProcess } from "../../../bridge/testing/synapse/synapse-process.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { Client, registerUser } from "../../support/client.js";
import { fork } from "../../support/forks.js";
import { modeCommand } from "../../support/mode-command.js";
import { venvPython } from "../../support/paths.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath } from "./module-path.js";

const folder = temporaryFolder();
const broken = folder.path("broken.ts");
const names = ["alone", "beside", "shadowed"] as const;
type Name = (typeof names)[number];
const notes = (name: Name) => folder.path(`${name}.txt`);
const path = (name: Name) => `/_synapse/client/${name}`;
const sharedSecret = "registration";

let configPaths: string[];
let logPath: string;
let server: SynapseProcess;
let alice: Client;
let room: string;

jest.setTimeout(90_000);

const start = async () => {
  const python = venvPython();
  server = await startProcess({
    ...{ python, app: "homeserver", dir: folder.root, configPaths, logPath, pythonPath: [shim] },
  });
  if (alice) alice = new Client(server.baseUrl, alice.userId, alice.accessToken, alice.deviceId);
};

beforeAll(async () => {
  writeFileSync(broken, "export default {");
  const module = (name: Name, more: object = {}) => ({
    ...{ path: modulePath("switched.ts"), name, config: { notes: notes(name), path: path(name) } },
    ...{ grants: ["store"], ...more },
  });
  const written = writeConfig({
    ...{ dir: folder.root, serverName: "test.localhost", sharedSecret },
    modules: [
      bridge({
        modules: [
          module("alone", { isolated: true }),
          module("beside"),
          module("shadowed", { mode: "shadow" }),
          { path: broken, mode: "off" },
        ],
      }),
    ],
    extraConfig: {},
  });
  configPaths = [written.configPath];
  logPath = written.logPath;
  await start();
  alice = await registerUser({ baseUrl: server.baseUrl, sharedSecret }, "alice");
  room = (await alice.createRoom()).body.room_id;
});

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const mode = async (...args: string[]) => {
  const { code, out, err } = await fork(["mode", ...configPaths, ...args], folder.root);
  return { code, stdout: out, stderr: err };
};
const say = async (body: string) => (await alice.say(room, body)).status;
const write = async (name: Name) => (await alice.get(path(name))).body;
const noted = (name: Name) => (existsSync(notes(name)) ? readFileSync(notes(name), "utf8").split("\n") : []);
const times = (name: Name, what: string) => noted(name).filter((line) => line === what).length;
const runsIn = (name: Name, wanted: string) =>
  waitFor(`${name} to run in ${wanted}`, () =>
    new RegExp(`run in their modes.*${name} ${wanted}`).test(since()),
  );
let begin = 0;
const since = () => server.log().slice(begin);

beforeEach(() => {
  begin = server.log().length;
});

/** From the end of the command until it holds. */
async function until(what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await waitFor(what, holds);
  const ms = Math.round(performance.now() - began);
  console.info(`${what}: ${ms} ms after the command`);
  expect(ms).toBeLessThan(5_000);
  return ms;
}

test("the command prints the modes, and says which modules there are", async () => {
  // As an admin does, in a process that imports Synapse.
  const { code, stdout } = await modeCommand(configPaths, folder.root);
  expect([code, stdout.split("\n")]).toEqual([
    0,
    [
      "alone     enforce  as in homeserver.yaml",
      "beside    enforce  as in homeserver.yaml",
      "shadowed  shadow   as in homeserver.yaml",
      "broken    off      as in homeserver.yaml",
      "",
    ],
  ]);
  const unknown = await mode("nobody", "off");
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    "there is no module nobody: homeserver.yaml has alone, beside, shadowed, broken\n",
  ]);
  for (const wrong of [["alone"], ["off"], ["alone", "out"], ["alone", "off", "--until", "soon"]])
    expect([wrong, (await mode(...wrong)).code]).toEqual([wrong, 2]);
  expect((await mode("alone", "out")).stderr).toContain(
    "there is no mode out: give one of off, shadow, enforce, reset",
  );
});

test("a broken module that is off does not stop the start, and cannot be switched on", async () => {
  expect(server.log()).toContain("broken is off, and could not be switched on: ");
  await mode("broken", "enforce");
  await waitFor("the refusal", () =>
    since().includes("broken cannot have the mode enforce: broken cannot be"),
  );
  await mode("broken", "reset");
});

test("a module that refuses everybody is switched off while messages flow", async () => {
  expect(await say("no")).toBe(403);
  await mode("beside", "off");
  await runsIn("beside", "off");
  const statuses: number[] = [];
  let flows = true;
  const flow = (async () => {
    while (flows) statuses.push(await say("no"));
  })();
  const { code, stdout } = await mode("alone", "off", "--note", "it refuses everybody");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /alone {5}off {6}set by command at .*: it refuses everybody \(homeserver.yaml: enforce\)/,
  );
  await until("alone is off", async () => statuses.at(-1) === 200);
  await runsIn("alone", "off");
  flows = false;
  await flow;
  // Not one message was lost, and none refused after the first that has passed.
  const passed = statuses.indexOf(200);
  expect(new Set(statuses.slice(0, passed))).toEqual(new Set(passed === 0 ? [] : [403]));
  expect(new Set(statuses.slice(passed))).toEqual(new Set([200]));
  expect(since()).toMatch(/WARNING .*alone: its mode is off, as command has set at .*it refuses everybody/);
  expect((await alice.get(path("alone"))).status).toBe(404);
  expect((await alice.get(path("alone"))).body).toEqual((await alice.get("/_synapse/client/unknown")).body);
});

test("what is off is closed, and its timers are gone", async () => {
  for (const name of ["alone", "beside"] as const) {
    // One instance for each Node that there was.
    await waitFor(`${name} to be closed`, () => times(name, "closed") === times(name, "set-up"));
  }
  // Those that run go on. A timer may still fire between `close` and the end of its thread.
  const signs = () => (["alone", "beside"] as const).map((name) => times(name, "alive")).join();
  await waitFor("the end of their timers", async () => {
    const [before, alive] = [signs(), times("shadowed", "alive")];
    await waitFor("signs of life", () => times("shadowed", "alive") > alive + 3);
    return signs() === before;
  });
});

test("what is off stays off over a restart of Synapse, from the first call on, and is not even set up", async () => {
  const before = [times("alone", "set-up"), times("beside", "set-up")];
  await server.stop();
  await start();
  expect(await say("no")).toBe(200);
  expect([times("alone", "set-up"), times("beside", "set-up")]).toEqual(before);
  const log = server.log();
  await waitFor("the warning", () =>
    /WARNING .*alone: its mode is off, as command has set .*\(homeserver.yaml says enforce\)/.test(
      server.log(),
    ),
  );
  expect(log).toMatch(/modules: alone \(off\), beside \(off\), shadowed \(shadow\), broken \(off\)/);
});

test("Node is killed meanwhile: off holds all the same, and on comes with the next Node", async () => {
  await mode("beside", "enforce");
  await until("beside decides", async () => (await say("no")) === 403);
  await runsIn("beside", "enforce");
  const [node = 0] = childrenOf(server.pid);
  process.kill(node, "SIGKILL");
  await mode("beside", "off");
  await until("beside is off", async () => (await say("no")) === 200);
  await waitFor("the next Node", () => since().includes("the module host is back"));
  expect(await say("no")).toBe(200);
});

test("a shadow module cannot write, and may once it enforces", async () => {
  expect(await write("shadowed")).toEqual({ written: false, kind: "not_granted" });
  await mode("shadowed", "enforce", "--until", "1h");
  await until("shadowed may write", async () => (await write("shadowed")).written === true);
  expect(await say("no")).toBe(403);
  await mode("shadowed", "reset");
  await until("shadowed is a shadow again", async () => (await say("no")) === 200);
  expect(await write("shadowed")).toEqual({ written: false, kind: "not_granted" });
  await waitFor("its objection", async () => {
    await say("no");
    return /module=shadowed outcome=would_refuse/.test(since());
  });
});

test("reset brings back the modes of homeserver.yaml", async () => {
  await mode("alone", "reset");
  const { stdout } = await mode("beside", "reset");
  expect(stdout.match(/as in homeserver.yaml/g)).toHaveLength(4);
  await until("alone decides", async () => (await say("no")) === 403);
  await runsIn("alone", "enforce");
  expect(await write("alone")).toEqual({ written: true });
});

test("no Synapse is needed for the command", async () => {
  await server.stop();
  expect((await mode("alone", "off")).code).toBe(0);
  expect((await mode("beside", "off")).code).toBe(0);
  await start();
  expect(await say("no")).toBe(200);
  const elsewhere = temporaryFolder();
  const config = JSON.parse(readFileSync(configPaths[0] ?? "", "utf8"));
  const args = { ...config.database?.args, database: elsewhere.path("none.db") };
  const file = elsewhere.write(
    "homeserver.yaml",
    JSON.stringify({ ...config, database: { name: "sqlite3", args } }),
  );
  const { code, stderr } = await modeCommand([file, "alone", "off"], elsewhere.root);
  const odd = elsewhere.write("odd.yaml", JSON.stringify({ ...config, database: 5 }));
  const unread = await modeCommand([odd, "alone", "off"], elsewhere.root);
  elsewhere.remove();
  expect([code, stderr]).toEqual([2, expect.stringContaining("there is no database")]);
  expect([unread.code, unread.stderr]).toEqual([
    2,
    expect.stringMatching(/^Synapse cannot read `database` of .*\n$/),
  ]);
});

/** A Node whose memory must not be made executable, as with systemd's MemoryDenyWriteExecute: it runs with --jitless. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host } from "../../support/host.js";
import { venvPython } from "../../support/paths.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

const files = temporaryFolder();
let server: Homeserver;
let alice: Client;
let room: string;

/** A Node that must not make memory executable. */
function hardenedNode(): string {
  const path = files.path("node");
  const lines = [
    `#!${venvPython()}`,
    "import ctypes, os, sys",
    "PR_SET_MDWE = 65",
    "assert ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0",
    `os.execv("${process.execPath}", ["${process.execPath}", *sys.argv[1:]])`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o755 });
  return path;
}

beforeAll(async () => {
  const path = modulePath("fetches.ts");
  const modules = [{ path }, { path, name: "apart", isolated: true }];
  server = await boot({
    modules: [bridge({ modules, node: hardenedNode(), env: ["NODE_OPTIONS"] })],
    env: { NODE_OPTIONS: "--jitless" },
    startTimeoutMs: 90_000,
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 120_000);

afterAll(async () => {
  await server?.stop();
  files.remove();
});

test("modules decide", async () => {
  expect((await alice.say(room, "hello")).status).toBe(200);
  expect((await alice.say(room, "spam")).status).toBe(403);
});

test("fetch fails in a module, and does not end Node", async () => {
  const before = host(server.pid);
  const url = `${server.baseUrl}/health`;
  expect((await alice.send(room, { msgtype: "m.text", body: "x", fetch: url })).status).toBe(500);
  expect(server.log()).toContain("fetch needs WebAssembly");
  expect(host(server.pid)).toBe(before);
});

test("node:http works", async () => {
  const url = `${server.baseUrl}/health`;
  expect((await alice.send(room, { msgtype: "m.text", body: "x", http: url })).status).toBe(200);
});

/** `synapse-module-bridge dev`, as an author uses it: in a terminal, with an editor beside it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { LIMITS } from "../../../bridge/catalogue/protocol.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { projectRoot } from "../../support/paths.js";
import { freePort } from "../../support/ports.js";
import { cacheWithVenv } from "../../support/prepared-venv.js";
import { childrenOf, isAlive } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const run = promisify(execFile);
const folder = temporaryFolder();
const command = join(projectRoot, "dist/cli.js");
const policy = (word: string, more = "") => `
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    check_event_for_spam({ event }, { log }) {
      if (event.content.body !== "${word}") return NOT_SPAM;
      log.warn("this is ${word}");
      return Codes.FORBIDDEN;
    },
    ${more}
  },
});
`;

const temporary = folder.path("temporary");
let dev: ChildProcess | undefined;
let printed = "";

beforeAll(() => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  folder.write("package.json", '{ "type": "module" }');
});
afterEach(async () => {
  dev?.kill("SIGINT");
  await waitFor("the end of dev", () => dev?.exitCode !== null || dev.signalCode !== null);
  dev = undefined;
});
afterAll(() => folder.remove());

/** Starts it, and waits until it is up. */
async function start(...args: string[]): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  // Of its own: other tests start servers meanwhile.
  mkdirSync(temporary, { recursive: true });
  dev = spawn(process.execPath, [command, "dev", ...args], {
    cwd: folder.root,
    env: { ...env, TMPDIR: temporary },
  });
  printed = "";
  for (const stream of [dev.stdout, dev.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
    });
}

/** Waits until this was printed, and gives it. */
const shown = async (what: RegExp, timeoutMs = 60_000): Promise<string> => {
  try {
    return await waitFor(String(what), () => what.exec(printed)?.[0], timeoutMs);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it printed:\n${printed}`);
  }
};

/** Says this as alice, or as bob, by the line that was printed; gives the answer. */
async function say(text: string, who: "alice" | "bob" = "alice"): Promise<string> {
  await shown(/Ctrl-C ends all/);
  const lines = printed.match(/^ {2}curl -X PUT .*$/gm) ?? [];
  const line = (lines[who === "alice" ? 0 : 1] ?? "").trim().replace('"hello"', JSON.stringify(text));
  return (await run("bash", ["-c", line])).stdout;
}

test("each save decides, what does not load changes nothing, and Ctrl-C ends all", async () => {
  folder.write("words.ts", policy("spam"));
  await start("words.ts");
  expect(await say("ham")).toContain("event_id");
  expect(await say("spam")).toContain("M_FORBIDDEN");
  await shown(
    /refused {2,}check_event_for_spam {2}words M_FORBIDDEN {2}@alice:test\.localhost in !\S+ \$\S+ {2}[\d.]+ ms/,
  );
  await shown(/WARNING {3}\[words\] this is spam/);
  expect(await say("spam", "bob")).toContain("M_FORBIDDEN");
  await shown(/refused {2,}check_event_for_spam {2}words M_FORBIDDEN {2}@bob:test\.localhost/);

  const saved = performance.now();
  folder.write("words.ts", policy("ham"));
  await shown(/reloaded in [\d.]+ s: the new version decides/);
  console.info(`dev: a save decides after ${Math.round(performance.now() - saved)} ms`);
  expect(await say("ham")).toContain("M_FORBIDDEN");
  expect(await say("spam")).toContain("event_id");

  folder.write("words.ts", `${policy("eggs")} 5 5`);
  await shown(/was refused, and the old one stays: .*words\.ts:\d+:\d+: syntax error/);
  expect(await say("ham")).toContain("M_FORBIDDEN");

  folder.write("words.ts", policy("eggs", 'user_may_invite: () => { throw new Error("broken"); },'));
  await shown(/This needs a restart of Synapse:/);
  await shown(/is up after.*is up after/s);
  expect(await say("eggs")).toContain("M_FORBIDDEN");
  const invite = (await shown(/^ {2}curl -X POST .*invite'$/m)).trim();
  expect((await run("bash", ["-c", invite])).stdout).toContain("M_UNKNOWN");
  // The line of the file in which it broke.
  await shown(/Error: broken\n.*words\.ts:10:\d+/);

  const [synapse = 0] = childrenOf(dev?.pid ?? 0);
  const [host = 0] = childrenOf(synapse);
  expect([isAlive(synapse), isAlive(host)]).toEqual([true, true]);
  dev?.kill("SIGINT");
  await waitFor("the end of all", () => !isAlive(synapse) && !isAlive(host));
  expect(readdirSync(temporary).filter((name) => name.startsWith("synapse-under-test-"))).toEqual([]);
}, 180_000);

test("a file that does not load at the start is told, and the next save starts Synapse", async () => {
  folder.write("late.ts", "export default 5 5;");
  await start("late.ts");
  await shown(/late\.ts:1:\d+: syntax error.*\nSynapse did not start\. Save the file to try again\./);
  folder.write("late.ts", policy("spam"));
  expect(await say("spam")).toContain("M_FORBIDDEN");
  // What Synapse writes within the watched folder is no save.
  expect(printed.match(/Synapse did not start/g)).toHaveLength(1);
}, 180_000);

test("a file that is not there ends it, and a config that is missing is asked for", async () => {
  await start("nowhere.ts");
  await shown(/there is no file or folder .*nowhere\.ts/);
  await waitFor("the end of dev", () => dev?.exitCode === 1);
  folder.write(
    "needy.ts",
    `import { defineModule } from "synapse-module-bridge";
     export default defineModule({
       configSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
       callbacks: {},
     });`,
  );
  await start("needy.ts");
  await shown(
    /cannot start: config\.modules\[0\]\.config\.word: is required\. Give the module's config with --config FILE\.\n/,
  );
}, 180_000);

test("a Synapse that ends by itself ends it, with its last lines", async () => {
  folder.write("words.ts", policy("spam"));
  await start("words.ts");
  await shown(/Ctrl-C ends all/);
  const [synapse = 0] = childrenOf(dev?.pid ?? 0);
  process.kill(synapse, "SIGKILL");
  await shown(/Synapse has ended\. Its last lines:\n.* INFO /);
  await waitFor("the end of dev", () => dev?.exitCode === 1);
}, 180_000);

const registering = (answer: string) => `
import { defineModule, RegistrationBehaviour } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    async check_registration_for_spam(_, { log }) {
      log.warn("somebody registers");
      return ${answer};
    },
  },
});
`;

test("users that the module refuses are made after the next save", async () => {
  folder.write("closed.ts", registering("RegistrationBehaviour.DENY"));
  await start("closed.ts");
  await shown(/There are no users yet: .*\nSave the file to try again\./);
  folder.write("closed.ts", registering("RegistrationBehaviour.ALLOW"));
  await shown(/reloaded in .*@admin:test\.localhost {2}password: \S.*Ctrl-C ends all/s);
}, 180_000);

test("a Synapse that ends while it makes the users ends it, with its last lines and without a stack", async () => {
  folder.write("slow.ts", registering("new Promise(() => setInterval(() => {}, 1000))"));
  await start("slow.ts");
  await shown(/\[slow\] somebody registers/);
  const [synapse = 0] = childrenOf(dev?.pid ?? 0);
  process.kill(synapse, "SIGKILL");
  await shown(/Synapse has ended\. Its last lines:\n.* INFO /);
  await waitFor("the end of dev", () => dev?.exitCode === 1);
  expect(printed).not.toMatch(/^ {4}at |There are no users yet/m);
}, 180_000);

test("type errors are shown, and block nothing", async () => {
  mkdirSync(folder.path("node_modules"));
  for (const name of ["typescript", "@typescript"])
    symlinkSync(join(projectRoot, "node_modules", name), join(folder.root, "node_modules", name));
  symlinkSync(projectRoot, join(folder.root, "node_modules/synapse-module-bridge"));
  folder.write("typed.ts", policy("spam", "user_may_invite: () => 5,"));
  await start("typed.ts");
  await shown(/types:\n {2}\S*typed\.ts\(\d+,\d+\): error TS2322: /);
  expect(await say("spam")).toContain("M_FORBIDDEN");
  folder.write("typed.ts", policy("ham", "user_may_invite: () => NOT_SPAM,"));
  await shown(/reloaded in/);
  await shown(/types: no errors/);
}, 180_000);

test("a homeserver.yaml's entry runs, with its names and configurations, and with --data the room stays", async () => {
  const module = `
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  configSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  callbacks: {
    check_event_for_spam: ({ event }, { config }) => (event.content.body === config.word ? Codes.FORBIDDEN : NOT_SPAM),
  },
});
`;
  folder.write("policies/configured.ts", module);
  folder.write("word.yaml", "word: spam\n");
  folder.write(
    "homeserver.yaml",
    `server_name: example.org
modules:
  - module: synapse_module_bridge.ModuleBridge
    config:
      workers: [worker1]
      modules:
        - { path: policies/configured.ts, name: configured, config_file: word.yaml }
`,
  );
  await start("homeserver.yaml", "--data", "kept");
  expect(await say("spam")).toContain("M_FORBIDDEN");
  await shown(/check_event_for_spam {2}configured M_FORBIDDEN {2}@alice:example\.org/);
  folder.write("word.yaml", "word: ham\n");
  await shown(/reloaded in/);
  expect(await say("ham")).toContain("M_FORBIDDEN");
  const room = await shown(/The room \S+ has alice and bob/);
  dev?.kill("SIGINT");
  await waitFor("the end of dev", () => dev?.signalCode !== null);
  expect(existsSync(folder.path("kept/hs.db"))).toBe(true);
  await start("homeserver.yaml", "--data", "kept");
  expect(await shown(/The room \S+ has alice and bob/)).toBe(room);
}, 180_000);

test("under --inspect a debugger pauses Node for longer than any limit, nothing is killed, and the call is answered", async () => {
  folder.write("paused.ts", policy("spam"));
  const port = String(await freePort());
  await start("paused.ts", "--inspect", port);
  await shown(new RegExp(`Debugger listening on ws://127.0.0.1:${port}/`));
  await say("hello");
  const [synapse = 0] = childrenOf(dev?.pid ?? 0);
  const hosts = childrenOf(synapse);
  const debugging = spawn(process.execPath, ["inspect", `127.0.0.1:${port}`], {
    env: { PATH: process.env.PATH },
  });
  let told = "";
  debugging.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    told += chunk;
  });
  try {
    await waitFor("the debugger", () => /debug> /.test(told), 20_000);
    debugging.stdin.write("pause\n");
    await waitFor("the pause", () => /break in/.test(told), 20_000);
    const answer = say("spam");
    await pause(LIMITS.kill_after_ms + 2 * LIMITS.pulse_ms);
    expect(childrenOf(synapse)).toEqual(hosts);
    debugging.stdin.write("cont\n");
    expect(await answer).toContain("M_FORBIDDEN");
    expect(printed).not.toMatch(/ {2}policy {2}|is killed/);
  } finally {
    debugging.kill("SIGKILL");
  }
}, 180_000);

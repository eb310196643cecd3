/** SIGHUP under a steady load of calls, with new modules good and bad; and a restart whose installed files are gone. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls, metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { lines } from "./modules.js";

const files = temporaryFolder();
const module = files.path("policy.ts");
const configFile = files.path("policy.yaml");
const seen = files.path("seen");
const installed = files.path("python");

/** A policy that refuses with its version's code, and notes whom it was asked about. */
function write(
  version: string,
  more: { setup?: string; callback?: string; web?: string; broken?: string; more?: string } = {},
) {
  writeFileSync(
    module,
    `import { appendFileSync, writeSync } from "node:fs";
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: { type: "object", properties: { suffix: { type: "string" } } },
  ${more.setup ?? ""}
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { config }) {
        appendFileSync(${JSON.stringify(seen)}, event.event_id + "\\n");
        await new Promise((resolve) => setTimeout(resolve, Number(event.content.ms ?? 0)));
        ${more.more ?? ""}
        return ["M_FORBIDDEN", { version: "${version}" + config.suffix }] as never;
      },
    },
    ${more.callback ?? ""}
  },
  ${more.web ?? ""}
});
${more.broken ?? ""}
`,
  );
}

let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  write("1");
  writeFileSync(configFile, "suffix: ''");
  const name = "synapse_module_bridge";
  const filter = (path: string) => !path.includes("__pycache__");
  cpSync(join(shim, name), join(installed, name), { recursive: true, filter });
  server = await boot({
    modules: [bridge({ modules: [{ path: module, config_file: configFile }] })],
    pythonPath: [installed],
    env: { PYTHONDONTWRITEBYTECODE: undefined },
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  files.remove();
});

let count = 0;
const ask = async (ms = 0) => {
  // Refused messages that are equal, and sent in the same millisecond, would be one event to Synapse.
  const { status, body } = await alice.send(room, { msgtype: "m.text", body: `message ${count++}`, ms });
  return status === 403 ? String(body.version) : `status ${status}`;
};

/** Asks all the time, four at once, until told to stop; gives the verdicts in the order of their coming. */
function load(): { stop(): Promise<string[]> } {
  const verdicts: string[] = [];
  let going = true;
  const one = async (n: number) => {
    while (going) verdicts.push(await ask(n === 0 ? 300 : 10));
  };
  const all = Promise.all([0, 1, 2, 3].map(one));
  return {
    async stop() {
      going = false;
      await all;
      return verdicts;
    },
  };
}

const hup = () => process.kill(server.pid, "SIGHUP");
const said = (text: string, times = 1) =>
  waitFor(`"${text}" in the log`, () => logged(server, text).length >= times, 20_000);
const onlyOneHost = () => waitFor("the other host to end", () => childrenOf(server.pid).length === 1, 10_000);

describe("SIGHUP", () => {
  test("with nothing changed does nothing", async () => {
    const before = host(server.pid);
    hup();
    await said("reload: no file of a module has changed");
    expect(host(server.pid)).toBe(before);
  });

  test("with a good new version: each call is answered once, by the old or by the new", async () => {
    const before = host(server.pid);
    const asked = lines(seen).length;
    const steady = load();
    await waitFor("calls", () => lines(seen).length > asked + 20);
    // It outlives the takeover, and what a process that is asked to end may take.
    const long = ask(4_000);
    write("2");
    hup();
    await said("the changed modules have taken over");
    const after = lines(seen).length;
    await waitFor("calls", () => lines(seen).length > after + 20);
    const verdicts = await steady.stop();
    expect(new Set(verdicts)).toEqual(new Set(["1", "2"]));
    expect(await long).toBe("1");
    const ids = lines(seen);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length - asked).toBe(verdicts.length + 1);
    expect(await ask()).toBe("2");
    await onlyOneHost();
    expect(host(server.pid)).not.toBe(before);
    observed(38, { outcome: `${verdicts.length} calls answered once, by the old or the new` });
  });

  const callback = "user_may_invite: () => true as never,";
  const web = 'web_resources: { "/_synapse/client/new": () => "new" },';
  const setup = 'setup() { throw new Error("no list server"); },';
  test.each([
    { fault: "a syntax error", more: { broken: "const = ;" }, says: "policy.ts" },
    { fault: "a setup that fails", more: { setup }, says: "policy: setup failed: Error: no list server" },
    {
      fault: "a new callback",
      more: { callback },
      says: "has the new callback user_may_invite: restart Synapse",
    },
    {
      fault: "a new web resource",
      more: { web },
      says: "has the new web resource /_synapse/client/new: restart",
    },
  ])("with $fault keeps the old version, and says so", async ({ more, says }) => {
    const before = host(server.pid);
    const refusals = logged(server, "the modules that run stay as they are").length;
    const steady = load();
    write("bad", more);
    hup();
    await said("the modules that run stay as they are", refusals + 1);
    expect(logged(server, "the modules that run stay as they are").at(-1)).toContain(says);
    expect(new Set(await steady.stop())).toEqual(new Set(["2"]));
    await onlyOneHost();
    expect(host(server.pid)).toBe(before);
    observed(38, { outcome: `by the old version; the log says: ${says}` });
  });

  test("with a good version after bad ones takes it", async () => {
    write("3");
    hup();
    await said("the changed modules have taken over", 2);
    expect(await ask()).toBe("3");
    await onlyOneHost();
  });

  test("twice in a row takes the latest, and leaves one host", async () => {
    const taken = logged(server, "the changed modules have taken over").length;
    write("4");
    hup();
    await waitFor("a second host", () => childrenOf(server.pid).length > 1);
    write("5");
    hup();
    hup();
    await said("the changed modules have taken over", taken + 1);
    await waitFor("the latest", async () => (await ask()) === "5");
    await onlyOneHost();
  });

  test("takes a config_file that has changed", async () => {
    writeFileSync(configFile, "suffix: '!'");
    hup();
    await waitFor("the new config", async () => (await ask()) === "5!");
    await onlyOneHost();
  });

  test("costs no call its answer, and counts no end of a host", async () => {
    expect(await calls(server, { outcome: "policy" })).toBe(0);
    expect(await metric(server, "synapse_module_bridge_host_ends_total")).toBe(0);
    expect(logged(server, "the module host ended")).toEqual([]);
    expect(contextWarnings(server)).toEqual([]);
  });
});

/** Kills Node, and gives the line that says that it is back. */
async function die(): Promise<string> {
  const before = host(server.pid);
  const lines = logged(server, "the module host is back").length;
  process.kill(before, "SIGKILL");
  await nextHost(server.pid, before);
  await said("the module host is back", lines + 1);
  return logged(server, "the module host is back").at(-1) ?? "";
}

describe("after a death of Node", () => {
  test("a version that is half-written, and a config that was never reloaded, do not run", async () => {
    const text = readFileSync(module, "utf8");
    writeFileSync(module, text.slice(0, 200));
    writeFileSync(configFile, "suffix: '?'");
    const refusals = logged(server, "the modules that run stay as they are").length;
    hup();
    await said("the modules that run stay as they are", refusals + 1);
    await onlyOneHost();
    const line = await die();
    expect(line).toMatch(/; it runs what was loaded at .*; on disk differs: .*policy\.ts, .*policy\.yaml$/);
    await waitFor("its verdict", async () => (await ask()) === "5!");
    writeFileSync(module, text);
    writeFileSync(configFile, "suffix: '!'");
    expect(await die()).not.toContain("differs");
    observed(39, {
      outcome: "by the module, as it was accepted last",
      tried: "half-written files, and SIGKILL",
    });
  });

  test("last words that are hard to log keep nothing away", async () => {
    const before = host(server.pid);
    const deep = `{"level":50,"msg":"x","deep":${"[".repeat(981)}${"]".repeat(981)}}`;
    const lines = JSON.stringify(`${deep}\n`.repeat(20));
    write("6", { more: `if (event.content.body === "die") { writeSync(2, ${lines}); process.exit(3); }` });
    hup();
    await waitFor("the new version", async () => (await ask()) === "6!");
    await onlyOneHost();
    const own = host(server.pid);
    expect(own).not.toBe(before);
    // Who ends Node is not asked about any more.
    const mallory = await registerUser(server, "mallory");
    await mallory.say((await mallory.createRoom()).body.room_id, "die");
    await nextHost(server.pid, own);
    await waitFor("its verdict", async () => (await ask()) === "6!");
    observed(9, { outcome: "by the module again", tried: "last words that are hard to log" });
  });
});

test("SIGHUP after a change of homeserver.yaml says that it is read at a start only", async () => {
  const yaml = readFileSync(server.configPath, "utf8");
  writeFileSync(server.configPath, yaml.replace(module, `${module}x`));
  hup();
  await said("homeserver.yaml has changed: it is read when Synapse starts, and not before");
  writeFileSync(server.configPath, yaml);
});

test("a host whose installed files are gone is restarted as it was", async () => {
  const shim = join(installed, "synapse_module_bridge");
  // It is this copy that runs.
  expect(existsSync(join(shim, "__pycache__"))).toBe(true);
  rmSync(join(shim, "_host"), { recursive: true });
  await die();
  await waitFor("its verdict", async () => (await ask()) === "6!");
  expect(logged(server, "the host's files are not any more what Synapse was started with")).toHaveLength(1);
  observed(39, { outcome: "by the module, on the host that Synapse was started with" });
});

// What is wrong for good stops Synapse at its start: with exit code 1, one message at the very end, and no child left.
import { chmodSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { HomeserverStartError, startHomeserver } from "../../support/homeserver.js";
import { observed } from "../../support/observed.js";
import { processesIn } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath } from "./modules.js";

const folder = temporaryFolder();

const modules = {
  "sound.ts": `import { defineModule, NOT_SPAM } from "synapse-module-bridge";
    export default defineModule({ callbacks: { user_may_invite: () => NOT_SPAM } });`,
  "configured.ts": `import { defineModule } from "synapse-module-bridge";
    export default defineModule({
      configSchema: {
        type: "object",
        properties: { words: { type: "array", items: { type: "string" } } },
        required: ["words"],
        additionalProperties: false,
      },
      callbacks: {},
    });`,
  "syntax-error.ts": "export default {\n  callbacks: { user_may_invite( {} },\n};\n",
  "throws.ts": 'throw new Error("no luck at import");',
  "unknown-callback.ts": "export default { callbacks: { user_may_invit: () => true } };",
  "unknown-entry-key.ts":
    "export default { callbacks: { user_may_invite: { matches: {}, handler: () => true } } };",
  "unknown-key.ts": "export default { callback: {} };",
  "half.ts": "export default { callbacks: { get_interested_users: () => [] } };",
  "names.ts": "export default { callbacks: { get_username_for_registration: () => null } };",
  "no-default.ts": "export const policy = { callbacks: {} };",
  "exits.ts": "process.exit(0);",
  "aborts.ts": "process.abort();",
  "crashes.ts": 'process.kill(process.pid, "SIGSEGV"); while (true);',
  "unsettled.ts": "await new Promise(() => {});",
  "needy.ts": 'export default { grants: ["store", "send_mail"], callbacks: {} };',
  "latin.ts": Buffer.from('export default { callbacks: {} }; // "Grüße"', "latin1"),
  "default.ts":
    'export default { configSchema: { type: "object", properties: { a: { type: "integer", default: "five" } } }, callbacks: {} };',
};

/** Not a Node at all, but it answers like an old one. */
const oldNode = "#!/bin/sh\necho v18.20.0\n";

beforeAll(() => {
  for (const [name, text] of Object.entries(modules)) folder.write(name, text);
  chmodSync(folder.write("old-node", oldNode), 0o755);
});

afterAll(() => folder.remove());

const at = folder.path;

async function failure(entries: readonly ModuleEntry[], extraConfig = {}): Promise<HomeserverStartError> {
  const pythonPath = [modulePath("")];
  try {
    const server = await startHomeserver({
      ...{ modules: entries, pythonPath, extraConfig },
      startTimeoutMs: 30_000,
    });
    await server.stop();
  } catch (error) {
    if (error instanceof HomeserverStartError) return error;
    throw error;
  }
  throw new Error("Synapse has started");
}

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);

/** What all faults have in common. Returns the message. */
async function refusal(entries: readonly ModuleEntry[], logged: boolean, extraConfig = {}): Promise<string> {
  const { exitCode, stderr, log, dir } = await failure(entries, extraConfig);
  expect(exitCode).toBe(1);
  // Of an error in a module's constructor Synapse prints a traceback, whose last line begins with the error's class.
  const message = /synapse_module_bridge: cannot start.*$/.exec(lastLine(stderr) ?? "")?.[0];
  if (message === undefined) throw new Error(`the last line of stderr is no message:\n${stderr}`);
  if (logged) {
    const critical = log.split("\n").filter((line) => / CRITICAL .*cannot start/.test(line));
    expect(critical).toHaveLength(1);
    expect(critical[0]).toContain(message);
  }
  await waitFor("the child to be gone", () => processesIn(dir).length === 0, 5000);
  return message;
}

describe("faults in the YAML's shape are told all at once, before anything is started:", () => {
  const faults: [string, ...string[]][] = [
    ["an unknown key", "config: unknown key 'module'"],
    ["an unknown key of a module", "config.modules[0]: unknown key 'grant'"],
    ["a module without a path", "config.modules[1]: the key path is missing"],
    ["a wrong type", "config.node:", "must be a text, and is a whole number"],
    ["an unknown key of a callback", "config.callbacks.user_may_invite: unknown key 'time'"],
  ];
  let message: string;
  beforeAll(async () => {
    const config = {
      ...{ module: [], node: 20, callbacks: { user_may_invite: { time: "1s" } } },
      modules: [{ path: at("sound.ts"), grant: [] }, { name: "x" }],
    };
    message = await refusal([bridge(config)], false);
  }, 60_000);

  test.each(faults)("%s", (_title, ...said) => {
    for (const part of said) expect(message).toContain(part);
  });
  test("and no more than those", () => {
    expect(message).toContain(`${faults.length} faults`);
    observed(4, { outcome: `Synapse does not start; ${faults.length} faults are told` });
  });
});

test("an unknown callback stops Synapse", async () => {
  const config = { modules: [{ path: at("sound.ts") }], callbacks: { user_may_invit: { timeout: "1s" } } };
  expect(await refusal([bridge(config)], false)).toContain(
    "config.callbacks.user_may_invit: is no callback of Synapse (did you mean user_may_invite?)",
  );
});

describe("faults in modules, and what the YAML does not grant, are told all at once:", () => {
  interface Fault {
    readonly title: string;
    /** Of the table of faults. */
    readonly row: number;
    readonly module: { readonly path: string; readonly [key: string]: unknown };
    /** Below the module's place. */
    readonly place: string;
    readonly words: readonly string[];
  }
  const atPath = (title: string, path: string, ...words: string[]): Fault => ({
    ...{ title, row: 3, module: { path }, place: ".path: ", words },
  });
  const faults: readonly Fault[] = [
    atPath("a file that is not there", "missing.ts", "missing.ts"),
    atPath("a syntax error", "syntax-error.ts", "syntax-error.ts:2"),
    atPath("an error at import", "throws.ts", "no luck at import"),
    atPath("an unknown callback", "unknown-callback.ts", "user_may_invit", "user_may_invite"),
    atPath("an unknown key of an entry", "unknown-entry-key.ts", "user_may_invite", "matches"),
    atPath("an unknown key of a module", "unknown-key.ts", "callback"),
    atPath("no default export", "no-default.ts"),
    atPath("half of a presence router", "half.ts", "get_users_for_states", "both or neither"),
    {
      ...atPath("Latin-1", "latin.ts", "latin.ts is not UTF-8 (the first wrong byte is in line 1; Latin-1?)"),
      row: 63,
    },
    {
      ...atPath("a default", "default.ts", 'its default "five" does not fit: it must be integer'),
      row: 63,
    },
    {
      title: "a config that is refused",
      row: 4,
      module: { path: "configured.ts", config: { words: "x" } },
      place: ".config.words: must be array",
      words: [],
    },
    {
      title: "a key of the config",
      row: 4,
      module: { path: "configured.ts", name: "other", config: { words: [], more: 1 } },
      place: ".config",
      words: ["more"],
    },
    {
      title: "a name that is there already",
      row: 3,
      module: { path: "sound.ts", name: "other" },
      place: "",
      words: ["other"],
    },
    {
      title: "what is not granted",
      row: 64,
      module: { path: "needy.ts", grants: ["send_mail"] },
      place: ".grants: ",
      words: ["needs `grants: [send_mail, store]` beside its `path`"],
    },
    {
      title: "all grants as a list",
      row: 64,
      module: { path: "sound.ts", grants: ["all"] },
      place: ".grants[0]: ",
      words: ["write `grants: all`, without brackets"],
    },
  ];
  let message: string;
  beforeAll(async () => {
    const modules = faults.map(({ module }) => ({ ...module, path: at(module.path) }));
    message = await refusal([bridge({ modules })], true);
  }, 60_000);

  test.each(faults.map((fault, index) => ({ ...fault, index })))("$title", ({ row, place, words, index }) => {
    const told = message
      .split(/; \(\d+\) |: \(1\) /)
      .find((fault) => fault.startsWith(`config.modules[${index}]`));
    expect(told).toContain(`config.modules[${index}]${place}`);
    for (const word of words) expect(told).toContain(word);
    observed(row, { outcome: "Synapse does not start; the fault is told with its place" });
  });
});

describe("a Node that will not do stops Synapse:", () => {
  test("none where the config says", async () => {
    const message = await refusal(
      [bridge({ modules: [{ path: at("sound.ts") }], node: at("no-node") })],
      true,
    );
    expect(message).toMatch(/config\.node: .*no-node.*Node >= 20\.19/);
    observed(1, { outcome: "Synapse does not start; the path is told" });
  });

  test("one that is too old", async () => {
    const message = await refusal(
      [bridge({ modules: [{ path: at("sound.ts") }], node: at("old-node") })],
      true,
    );
    expect(message).toMatch(/config\.node: .*v18\.20\.0; Node >= 20\.19/);
    observed(2, { outcome: "Synapse does not start; both versions are told" });
  });
});

test("a callback that Synapse does not take while another service logs users in stops it", async () => {
  const delegating = {
    matrix_authentication_service: { enabled: true, endpoint: "http://localhost:1", secret: "x" },
    password_config: { enabled: false },
    enable_registration: false,
  };
  const message = await refusal([bridge({ modules: [{ path: at("names.ts") }] })], true, delegating);
  expect(message).toContain("config.modules[0].path: names implements get_username_for_registration");
  expect(message).toContain("matrix_authentication_service");
});

describe("a callback that this Synapse lacks", () => {
  const older = { module: "older_synapse.OlderSynapse", config: {} };

  test("stops it, and the message tells since when there is one", async () => {
    const message = await refusal([older, bridge({ modules: [{ path: at("sound.ts") }] })], true);
    expect(message).toContain("config.modules[0].path: sound implements user_may_invite");
    expect(message).toContain("1.37.0");
    expect(message).toContain("callbacks.user_may_invite.optional");
    observed(46, { outcome: "Synapse does not start; the callback and its version are told" });
  });

  test("does not stop it where it is optional", async () => {
    const callbacks = { user_may_invite: { optional: true } };
    const server = await startHomeserver({
      modules: [older, bridge({ modules: [{ path: at("sound.ts") }], callbacks })],
      pythonPath: [modulePath("")],
    });
    expect(server.log()).toContain("callbacks: none");
    await server.stop();
    await waitFor("the child to be gone", () => processesIn(server.dir).length === 0, 5000);
  });
});

test("a callback that this Synapse takes and forgets stops it", async () => {
  const forgetful = { module: "forgetful_synapse.ForgetfulSynapse", config: {} };
  const message = await refusal([forgetful, bridge({ modules: [{ path: at("sound.ts") }] })], true);
  expect(message).toMatch(
    /cannot start: this Synapse \(.*\) takes user_may_invite and forgets it, so that no module would be asked/,
  );
  observed(62, { outcome: "Synapse does not start; the callback is named" });
});

describe("what a module does while it is loaded is told in the last line:", () => {
  test.each([
    ["it exits", "exits.ts", "(it called process.exit(0), in exits): a module must not call process.exit"],
    ["it aborts", "aborts.ts", "(it called process.abort(), in aborts)"],
    ["it crashes", "crashes.ts", "(it sent itself SIGSEGV, in crashes)"],
  ])("%s", async (_title, file, cause) => {
    const message = await refusal(
      [bridge({ modules: [{ path: at("sound.ts") }, { path: at(file) }] })],
      true,
    );
    expect(message).toContain(
      `config.modules[1].path: ${at(file)}: Node ended while it loaded this module ${cause}`,
    );
    observed(61, { outcome: "Synapse does not start; the module and its end are told" });
  });

  test("it never is", async () => {
    const config = { modules: [{ path: at("sound.ts") }, { path: at("unsettled.ts") }], start_timeout: "2s" };
    expect(await refusal([bridge(config)], true)).toContain(
      `config.modules[1].path: ${at("unsettled.ts")}: was not loaded within 2 s: does it wait, or compute for long, at its top level?`,
    );
    observed(61, { outcome: "Synapse does not start; the module is told" });
  });
});

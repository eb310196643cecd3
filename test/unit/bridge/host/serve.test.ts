// The host as a real process behind real pipes: the wire stays its own, and only the end of its input ends it.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { VERSION } from "../../../../bridge/base/version.js";
import { observed } from "../../../support/observed.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { waitFor } from "../../../support/wait.js";
import { type Bundle, bundle } from "../bundle.js";
import { type HostProcess, startHost } from "../child.js";
import { INTRODUCTION, INVITE, type Initialized, moduleOf } from "../rig.js";

const folder = temporaryFolder();
let code: Bundle;
let host: HostProcess;

beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
});
beforeEach(() => {
  host = startHost(code.file, folder.root);
});
afterEach(async () => {
  if (host.child.exitCode === null) host.child.kill("SIGKILL");
  await host.ended;
  host.shim.dispose();
});

let count = 0;
async function load(body: string, before = ""): Promise<string> {
  const name = `module-${count++}`;
  const path = folder.write(`${name}.ts`, moduleOf("user_may_invite", body, before));
  const modules = [{ path }];
  const params = { ...INTRODUCTION, version: VERSION, modules };
  const { faults } = (await host.shim.sendRequest("initialize", params)) as Initialized;
  expect(faults).toEqual([]);
  await host.shim.sendNotification("start", {});
  return name;
}

const call = (name: string): Promise<{ answer: unknown }> =>
  host.shim.sendRequest("callback/user_may_invite", {
    call: 1,
    modules: [name],
    params: INVITE,
    request: null,
  });

const lines = (): Record<string, unknown>[] => host.records("log");

test("an answer does not wait for the code of the next call, which may block", async () => {
  const file = path.join(folder.root, "the-first-answer-has-come");
  const name = await load(
    `if (count++ === 0) return NOT_SPAM;
     const until = Date.now() + 2_000;
     while (!fs.existsSync(${JSON.stringify(file)}) && Date.now() < until);
     return fs.existsSync(${JSON.stringify(file)}) ? Codes.FORBIDDEN : NOT_SPAM;`,
    'import fs from "node:fs"; let count = 0;',
  );
  // Both come in together.
  host.toHost.cork();
  const first = call(name);
  const second = call(name);
  setImmediate(() => host.toHost.uncork());
  expect(await first).toMatchObject({ answer: "NOT_SPAM" });
  writeFileSync(file, "");
  expect(await second).toMatchObject({ answer: "M_FORBIDDEN" });
});

describe("what a module prints or reads never reaches the wire", () => {
  const quiet = {
    "console.log": "console.log('printed');",
    "process.stdout": "process.stdout.write('printed\\n');",
    "a raw write to fd 1": "fs.writeSync(1, 'printed\\n');",
    "a child with inherited stdio": "cp.spawnSync('sh', ['-c', 'echo printed; cat'], { stdio: 'inherit' });",
    "a grandchild": "cp.spawnSync('sh', ['-c', 'sh -c \"echo printed; cat\"'], { stdio: 'inherit' });",
  };
  const imports = `import fs from "node:fs"; import cp from "node:child_process";`;
  test.each(Object.entries(quiet))("%s, at import and in a call", async (_, print) => {
    const name = await load(`${print} return Codes.FORBIDDEN;`, imports + print);
    expect(await call(name)).toMatchObject({ answer: "M_FORBIDDEN" });
    expect(await call(name)).toMatchObject({ answer: "M_FORBIDDEN" });
    const texts = () => [...host.records("printed").map(({ text }) => text), ...host.stderr().split("\n")];
    await waitFor("what was printed", () => texts().filter((text) => text === "printed").length === 3);
    for (const row of [19, 20]) observed(row, { on: "real host", outcome: "by the module; in the log" });
  });

  test("what it prints has its name and the request, as far as they are known", async () => {
    const body = `console.log("before"); await null; console.error("after %s", 1); later(); process.stdout.write("no end");
      process.stderr.write(Buffer.from("ä\\nb")); return NOT_SPAM;`;
    const before = `console.log("loading");
      function later() { setTimeout(() => fs.writeSync(2, "raw\\n")); }`;
    const name = await load(body, imports + before);
    const about = { call: 1, modules: [name], params: INVITE, request: "PUT-1" };
    await host.shim.sendRequest("callback/user_may_invite", about);
    await waitFor("standard error", () => host.stderr().includes("raw"));
    host.closeInput();
    await host.ended;
    expect(host.stderr()).toBe("raw\n");
    expect(host.records("printed")).toEqual([
      { module: name, request: null, text: "loading" },
      { module: name, request: "PUT-1", text: "before" },
      { module: name, request: null, text: "after 1" },
      { module: name, request: null, text: "ä" },
      { module: name, request: null, text: "no end" },
      { module: name, request: null, text: "b" },
    ]);
  });

  test.each([
    ["named.mjs", "export default"],
    ["named.cjs", "module.exports ="],
    ["named.js", "export default"],
    ["a b (c)/named.ts", "export default"],
  ])("it is named by its stack, however it is loaded: %s", async (file, exports) => {
    const text = `${exports} { callbacks: { async user_may_invite() {
      await null;
      console.log("printed");
      setTimeout(() => process.exit(3));
      await new Promise(() => {});
    } } };`;
    const modules = [{ path: folder.write(file, text) }];
    const about = { ...INTRODUCTION, version: VERSION, modules };
    await host.shim.sendRequest("initialize", about);
    await host.shim.sendNotification("start", {});
    call("named").catch(() => {});
    await host.ended;
    expect(host.records("printed")).toEqual([{ module: "named", request: null, text: "printed" }]);
    expect(host.records("ends")).toEqual([{ cause: "it called process.exit(3)", module: "named", code: 3 }]);
  });

  test("a text that poses as a record is a text", async () => {
    const posing = JSON.stringify({ level: 60, module: "no-links", msg: "x", host_ends: "out of memory" });
    const ends = JSON.stringify({ ends: { cause: "out of memory", module: "no-links", code: 1 } });
    const name = await load(
      `const text = ${JSON.stringify(`${posing}\n${ends}`)}; console.log(text);
       fs.writeSync(1, text + "\\n"); context.log.info(JSON.parse(${JSON.stringify(posing)})); process.exit(1);`,
      imports,
    );
    call(name).catch(() => {});
    await host.ended;
    expect(host.records("printed").map(({ module, text }) => [module, text])).toEqual([
      [name, posing],
      [name, ends],
    ]);
    expect(host.stderr()).toBe(`${posing}\n${ends}\n`);
    expect(host.records("ends")).toEqual([{ cause: "it called process.exit(1)", module: name, code: 1 }]);
  });

  test("standard input is empty for it", async () => {
    const read = `let seen = fs.readFileSync(0, "utf8"); for await (const chunk of process.stdin) seen += chunk;`;
    const name = await load(`${read} return "read " + seen.length;`, imports);
    expect(await call(name)).toMatchObject({ answer: "read 0" });
  });
});

describe("the process", () => {
  test("ends with 0 when its input does, though modules have timers and handles", async () => {
    await load(
      "return NOT_SPAM;",
      `import net from "node:net"; setInterval(() => {}, 1000); net.createServer().listen(0);`,
    );
    const started = performance.now();
    host.closeInput();
    expect(await host.ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test("ends within its limit, though a handler hangs", async () => {
    const name = await load("context.log.info('hanging'); return new Promise(() => {});");
    call(name).catch(() => {});
    await waitFor("the handler to hang", () => lines().some(({ msg }) => msg === "hanging"));
    const started = performance.now();
    host.closeInput();
    expect(await host.ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test("answers what is under way before it ends", async () => {
    const name = await load("await new Promise((go) => setTimeout(go, 100)); return Codes.FORBIDDEN;");
    const answers = [call(name), call(name), call(name)];
    host.closeInput();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ answer: "M_FORBIDDEN" });
    expect(await host.ended).toBe(0);
  });

  test("loads modules though the disk is full", async () => {
    host.child.kill("SIGKILL");
    await host.ended;
    const full = folder.write(
      "full.cjs",
      `require("node:fs").writeFileSync = () => {
        process.stderr.write("a file was to be written\\n");
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      };`,
    );
    host = startHost(code.file, folder.root, ["--require", full]);
    const name = await load("return NOT_SPAM;");
    expect(await call(name)).toMatchObject({ answer: "NOT_SPAM" });
    expect(host.records("printed").map(({ text }) => text)).toContain("a file was to be written");
  });

  test("keeps no listener of SIGINT: the shim needs it", async () => {
    await load("return NOT_SPAM;", 'process.on("SIGINT", () => {});');
    await waitFor("the warning", () =>
      lines().some(({ msg }) => String(msg).includes("a listener of SIGINT is not kept")),
    );
    host.child.kill("SIGINT");
    expect(await host.ended).toBe("SIGINT");
  });

  test("gives signs of life amid many calls that are short, however long all of them take", async () => {
    const name = await load(
      "for (const until = performance.now() + 25; performance.now() < until; ); return NOT_SPAM;",
    );
    let pulses = 0;
    host.shim.onNotification("pulse", () => {
      pulses++;
    });
    await Promise.all(Array.from({ length: 80 }, () => call(name)));
    expect(pulses).toBeGreaterThanOrEqual(2);
  });

  test.each(["SIGTERM", "SIGHUP", "SIGPIPE", "SIGUSR1", "SIGUSR2"] as const)(
    "is not ended by %s while its input is open",
    async (signal) => {
      const name = await load("return NOT_SPAM;");
      host.child.kill(signal);
      for (let round = 0; round < 5; round++) expect(await call(name)).toMatchObject({ answer: "NOT_SPAM" });
      host.closeInput();
      expect(await host.ended).toBe(0);
      expect(host.stderr()).not.toContain("Debugger listening");
      observed(43, { on: "real host", outcome: "by the module" });
    },
  );

  test.each([
    [
      "an error that nobody catches",
      "setTimeout(() => { throw new Error('stray'); }, 1); return new Promise(() => {});",
      "an error was not caught",
    ],
    [
      "a rejection that nobody handles",
      "Promise.reject(new Error('stray')); return new Promise(() => {});",
      "a rejected promise was not handled",
    ],
  ])("dies of %s, and says so with the module and the stack", async (_, body, msg) => {
    const name = await load(body);
    call(name).catch(() => {});
    expect(await host.ended).toBe(1);
    expect(lines()).toContainEqual(
      expect.objectContaining({
        level: 60,
        module: name,
        msg,
        err: expect.objectContaining({ message: "stray", stack: expect.stringContaining(`${name}.ts`) }),
      }),
    );
    observed(9, { on: "real host", outcome: "it ends; module and stack are in the log" });
  });

  test("dies without a word of what was thrown where a module is asked with passwords", async () => {
    const path = folder.write(
      "login.ts",
      `export default { callbacks: { check_3pid_auth({ password }) {
        Promise.reject(new Error(password));
        return new Promise(() => {});
      } } };`,
    );
    const modules = [{ path }];
    const about = { ...INTRODUCTION, version: VERSION, modules };
    await host.shim.sendRequest("initialize", about);
    await host.shim.sendNotification("start", {});
    const params = { medium: "email", address: "a@b", password: "canary7f3a" };
    const asked = { call: 1, modules: ["login"], params, request: null };
    host.shim.sendRequest("callback/check_3pid_auth", asked).catch(() => {});
    expect(await host.ended).toBe(1);
    expect(JSON.stringify([host.stderr(), lines(), host.records("ends")])).not.toContain("canary7f3a");
    expect(lines()).toContainEqual(
      expect.objectContaining({
        level: 60,
        module: "login",
        err: expect.objectContaining({ stack: expect.stringContaining("login.ts:2") }),
      }),
    );
  });

  test("dies of a broken stream rather than hang", async () => {
    await load("return NOT_SPAM;");
    const { toHost } = host;
    toHost.write("this is no frame\r\n\r\n");
    expect(await host.ended).toBe(1);
    expect(lines()).toContainEqual(
      expect.objectContaining({ level: 60, msg: expect.stringContaining("the wire is broken") }),
    );
  });

  test("writes what was logged last before it ends", async () => {
    const name = await load("for (let i = 0; i < 500; i++) context.log.info('line ' + i); process.exit(3);");
    call(name).catch(() => {});
    expect(await host.ended).toBe(3);
    expect(lines().filter(({ msg }) => String(msg).startsWith("line "))).toHaveLength(500);
  });

  test.each([
    ["process.exit(3)", "it called process.exit(3)", 3],
    ["await null; process.exit('4')", "it called process.exit(4)", 4],
    ["process.exitCode = 5; process.exit()", "it called process.exit(5)", 5],
    ["setTimeout(() => process.exit(0), 1); await new Promise(() => {})", "it called process.exit(0)", 0],
    ["process.abort()", "it called process.abort()", -6],
    ["process.kill(process.pid, 'SIGKILL'); while (true);", "it sent itself SIGKILL", -9],
    ["process.kill(process.pid, 11); while (true);", "it sent itself SIGSEGV", -11],
  ])("says that a module ends it: %s", async (body, cause, code) => {
    const name = await load(body);
    call(name).catch(() => {});
    await host.ended;
    expect(host.records("ends")).toEqual([{ cause, module: name, code }]);
    const err = { stack: expect.stringContaining(`${name}.ts`) };
    expect(lines()).toContainEqual(expect.objectContaining({ level: 60, module: name, msg: cause, err }));
    observed(1, { on: "real host", outcome: "it ends; the module and what it called are in the log" });
  });

  test("blames nobody for a message that names a file, nor for a signal that does not end it", async () => {
    const other = await load("return NOT_SPAM;");
    const body = `process.kill(process.pid, "SIGTERM"); setTimeout(() => { throw new Error(params.room_id); });
      await new Promise(() => {});`;
    const path = folder.write("echoes.ts", moduleOf("user_may_invite", body));
    host.child.kill("SIGKILL");
    await host.ended;
    host = startHost(code.file, folder.root);
    const modules = [{ path: `${folder.root}/${other}.ts` }, { path }];
    const about = { ...INTRODUCTION, version: VERSION, modules };
    await host.shim.sendRequest("initialize", about);
    const room_id = `!x:y\n    at handler (${folder.root}/${other}.ts:1:1)`;
    const params = { ...INVITE, room_id };
    host.shim
      .sendRequest("callback/user_may_invite", { call: 1, modules: ["echoes"], params, request: null })
      .catch(() => {});
    expect(await host.ended).toBe(1);
    expect(host.records("ends")).toEqual([{ cause: "an error was not caught", module: "echoes", code: 1 }]);
  });

  test("writes nothing that nobody wants", async () => {
    const name = await load("context.log.debug('details'); context.log.info('words'); return NOT_SPAM;");
    await host.shim.sendNotification("log_levels", { levels: { [name]: 40, unknown: 20 } });
    await call(name);
    await host.shim.sendNotification("log_levels", { levels: { [name]: 20 } });
    await call(name);
    await waitFor("the words", () => lines().filter(({ msg }) => msg === "words").length === 1);
    expect(lines().filter(({ module }) => module === name)).toHaveLength(2);
  });

  test("logs in pino's shape, without noise", async () => {
    const name = await load(
      "context.log.warn({ extra: 1 }, 'words'); context.log.debug('details'); return NOT_SPAM;",
    );
    await call(name);
    await waitFor("the details", () => lines().some(({ msg }) => msg === "details"));
    expect(lines()).toContainEqual({
      level: 40,
      time: expect.any(Number),
      module: name,
      request: null,
      extra: 1,
      msg: "words",
    });
  });
});

// The host as a real process behind real pipes: the wire stays its own, and only the end of its input ends it.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { observed } from "../../../support/observed.js";
import { call, folder, host, initialize, inviting, load, loadOne, start, stop } from "../real-host.js";
import { moduleOf } from "../rig.js";
import { INVITE } from "../samples.js";

const lines = (): Record<string, unknown>[] => host.records("log");

test("an answer does not wait for the code of the next call, which may block", async () => {
  const file = path.join(folder.root, "the-first-answer-has-come");
  const name = await loadOne(
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

describe("the process", () => {
  test("ends with 0 when its input does, though modules have timers and handles", async () => {
    await loadOne(
      "return NOT_SPAM;",
      `import net from "node:net"; setInterval(() => {}, 1000); net.createServer().listen(0);`,
    );
    const started = performance.now();
    host.closeInput();
    expect(await host.ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test("ends within its limit, though a handler hangs", async () => {
    const name = await loadOne("context.log.info('hanging'); return new Promise(() => {});");
    call(name).catch(() => {});
    await waitFor("the handler to hang", () => lines().some(({ msg }) => msg === "hanging"));
    const started = performance.now();
    host.closeInput();
    expect(await host.ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test("answers what is under way before it ends", async () => {
    const name = await loadOne("await new Promise((go) => setTimeout(go, 100)); return Codes.FORBIDDEN;");
    const answers = [call(name), call(name), call(name)];
    host.closeInput();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ answer: "M_FORBIDDEN" });
    expect(await host.ended).toBe(0);
  });

  test("loads modules though the disk is full", async () => {
    await stop();
    const full = folder.write(
      "full.cjs",
      `require("node:fs").writeFileSync = () => {
        process.stderr.write("a file was to be written\\n");
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      };`,
    );
    start(["--require", full]);
    const name = await loadOne("return NOT_SPAM;");
    expect(await call(name)).toMatchObject({ answer: "NOT_SPAM" });
    expect(host.records("printed").map(({ text }) => text)).toContain("a file was to be written");
  });

  test("keeps no listener of SIGINT: the shim needs it", async () => {
    await loadOne("return NOT_SPAM;", 'process.on("SIGINT", () => {});');
    await waitFor("the warning", () =>
      lines().some(({ msg }) => String(msg).includes("a listener of SIGINT is not kept")),
    );
    host.child.kill("SIGINT");
    expect(await host.ended).toBe("SIGINT");
  });

  test("gives signs of life amid many calls that are short, however long all of them take", async () => {
    const name = await loadOne(
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
      const name = await loadOne("return NOT_SPAM;");
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
    const name = await loadOne(body);
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
    await load(modules);
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
    await loadOne("return NOT_SPAM;");
    const { toHost } = host;
    toHost.write("this is no frame\r\n\r\n");
    expect(await host.ended).toBe(1);
    expect(lines()).toContainEqual(
      expect.objectContaining({ level: 60, msg: expect.stringContaining("the wire is broken") }),
    );
  });

  test("writes what was logged last before it ends", async () => {
    const name = await loadOne(
      "for (let i = 0; i < 500; i++) context.log.info('line ' + i); process.exit(3);",
    );
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
    const name = await loadOne(body);
    call(name).catch(() => {});
    await host.ended;
    expect(host.records("ends")).toEqual([{ cause, module: name, code }]);
    const err = { stack: expect.stringContaining(`${name}.ts`) };
    expect(lines()).toContainEqual(expect.objectContaining({ level: 60, module: name, msg: cause, err }));
    observed(1, { on: "real host", outcome: "it ends; the module and what it called are in the log" });
  });

  test("blames nobody for a message that names a file, nor for a signal that does not end it", async () => {
    const other = inviting("other", "return NOT_SPAM;");
    await load([{ path: other }]);
    const body = `process.kill(process.pid, "SIGTERM"); setTimeout(() => { throw new Error(params.room_id); });
      await new Promise(() => {});`;
    const path = folder.write("echoes.ts", moduleOf("user_may_invite", body));
    await stop();
    start();
    const modules = [{ path: other }, { path }];
    await initialize(modules);
    const room_id = `!x:y\n    at handler (${other}:1:1)`;
    const params = { ...INVITE, room_id };
    host.shim
      .sendRequest("callback/user_may_invite", { call: 1, modules: ["echoes"], params, request: null })
      .catch(() => {});
    expect(await host.ended).toBe(1);
    expect(host.records("ends")).toEqual([{ cause: "an error was not caught", module: "echoes", code: 1 }]);
  });

  test("writes nothing that nobody wants", async () => {
    const name = await loadOne("context.log.debug('details'); context.log.info('words'); return NOT_SPAM;");
    await host.shim.sendNotification("log_levels", { levels: { [name]: 40, unknown: 20 } });
    await call(name);
    await host.shim.sendNotification("log_levels", { levels: { [name]: 20 } });
    await call(name);
    await waitFor("the words", () => lines().filter(({ msg }) => msg === "words").length === 1);
    expect(lines().filter(({ module }) => module === name)).toHaveLength(2);
  });

  test("logs in pino's shape, without noise", async () => {
    const name = await loadOne(
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

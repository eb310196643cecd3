// The commands `check` and `call` with a module that ends, crashes or hangs the process: the last line says which and how.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { moduleOf } from "../rig.js";
import { command, folder, run } from "./command-line.js";

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);
const SOUND = "\nexport default { callbacks: { user_may_invite() {} } };";

const ends: [how: string, text: string, cause: string][] = [
  ["exits", "process.exit(0);", "(exit code 0): a module must not call process.exit"],
  ["exits with a code", "process.exit(7);", "(exit code 7): a module must not call process.exit"],
  ["aborts", "process.abort();", "(killed by SIGABRT)"],
  ["crashes", "process.kill(process.pid, 'SIGSEGV'); while (true);", "(killed by SIGSEGV)"],
];
const PARAMS = JSON.stringify({ inviter: "@a:b", invitee: "@c:d", room_id: "!r:x" });

describe.each(ends)("a module that %s while it is loaded is named", (how, text, cause) => {
  const name = `${how.replaceAll(" ", "-")}.ts`;
  const file = () => folder.write(name, `console.log("noise");\n${text}${SOUND}`);
  const expected = () => `${file()}: Node ended while it loaded this module ${cause}`;

  test("by check, by itself", async () => {
    const { code, err } = await run(["check", file()]);
    expect(lastLine(err)).toContain(expected());
    expect(code).toBe(1);
  });

  test("by call", async () => {
    const { code, out, err } = await run(["call", file(), "user_may_invite", "-"], PARAMS);
    expect(lastLine(err)).toContain(expected());
    expect([code, out]).toEqual([1, ""]);
  });
});

test("a top level that can never settle is told, by check and by call", async () => {
  const file = folder.write("unsettled.ts", `await new Promise(() => {});${SOUND}`);
  for (const args of [
    ["check", file],
    ["call", file, "user_may_invite"],
  ]) {
    const { code, out, err } = await run(args);
    expect(lastLine(err)).toBe(
      `${file}: is never loaded: its top level waits for something that never happens`,
    );
    expect([code, out]).toEqual([1, ""]);
  }
});

test("a top level that waits for ever is ended after 30 s", async () => {
  const file = folder.write("waits.ts", `setInterval(() => {}, 1000);\nawait new Promise(() => {});${SOUND}`);
  const { code, err } = await run(["check", file]);
  expect(lastLine(err)).toBe(
    `${file}: was not loaded within 30 s: does it wait, or compute for long, at its top level?`,
  );
  expect(code).toBe(1);
}, 50_000);

test.each([
  ["process.exit(0);", /: Node ended while the module was asked \(exit code 0\): a module must not/],
  ["process.abort();", /: Node ended while the module was asked \(killed by SIGABRT\)$/],
  ["await new Promise(() => {});", /: is never answered: it waits for something that never happens$/],
])("a handler that does %s is told by call", async (body, words) => {
  const file = folder.write("handler.ts", moduleOf("user_may_invite", body));
  const { code, out, err } = await run(["call", file, "user_may_invite", "-"], PARAMS);
  expect(lastLine(err)).toMatch(words);
  expect([code, out]).toEqual([1, ""]);
});

describe("what check says", () => {
  const RAW = 'writeSync(1, "raw\\n"); execSync("echo child", { stdio: "inherit" }); console.log("noise");';
  const file = () =>
    folder.write(
      "checked.ts",
      `import { execSync } from "node:child_process";\nimport { writeSync } from "node:fs";\n${RAW}${SOUND}`,
    );
  const shell = (script: string) => {
    const args = ["-c", script.replaceAll("$CHECK", '"$@"'), "sh", ...command(["check", file()])];
    return execFileSync("sh", args, { cwd: folder.root, stdio: "pipe", encoding: "utf8" });
  };
  const read = (name: string) => readFileSync(path.join(folder.root, name), "utf8");

  test("is alone on standard output, with what comes before and after it, though modules print", () => {
    const alone = shell("$CHECK 2>/dev/null");
    expect(alone).toContain("user_may_invite");
    expect(alone).not.toMatch(/raw|child|noise/);
    shell("(echo before; $CHECK; echo after) > checked.txt 2> checked-noise.txt");
    expect(read("checked.txt")).toBe(`before\n${alone}after\n`);
    expect(read("checked-noise.txt")).toBe("raw\nchild\nnoise\n");
    shell("$CHECK >> checked.txt 2>/dev/null; echo end >> checked.txt");
    expect(read("checked.txt")).toBe(`before\n${alone}after\n${alone}end\n`);
    expect(shell("$CHECK 2>/dev/null | cat")).toBe(alone);
    shell("(echo before; $CHECK; echo after) > all.txt 2>&1");
    expect(read("all.txt")).toBe(`before\nraw\nchild\nnoise\n${alone}after\n`);
  });
});

describe("the answer of call", () => {
  const file = () =>
    folder.write(
      "prints.ts",
      moduleOf(
        "user_may_invite",
        'console.log("noise"); writeSync(1, "raw\\n"); execSync("echo child", { stdio: "inherit" }); return NOT_SPAM;',
        'import { execSync } from "node:child_process";\nimport { writeSync } from "node:fs";',
      ),
    );
  /** Runs it in a shell with a redirection, as `$CALL > file`. */
  const shell = (script: string) =>
    execFileSync(
      "sh",
      [
        "-c",
        script.replaceAll("$CALL", '"$@"'),
        "sh",
        ...command(["call", file(), "user_may_invite", "params.json"]),
      ],
      {
        cwd: folder.root,
        stdio: "pipe",
        encoding: "utf8",
      },
    );
  const read = (name: string) => readFileSync(path.join(folder.root, name), "utf8");

  test("stands in a file with what comes before and after it", () => {
    folder.write("params.json", PARAMS);
    shell("(echo before; $CALL; echo after) > both 2> noise");
    expect(read("both")).toBe('before\n"NOT_SPAM"\nafter\n');
    expect(read("noise")).toMatch(/^noise\nraw\nchild\nuser_may_invite: answered in [\d.]+ ms\n$/);
  });

  test("is appended to a file", () => {
    folder.write("log", "old\n");
    shell("$CALL >> log 2>> noise-log; echo new >> log");
    expect(read("log")).toBe('old\n"NOT_SPAM"\nnew\n');
    shell("$CALL 2>> noise-log; echo new >> noise-log");
    expect(read("noise-log").match(/^noise\n/gm)).toHaveLength(2);
    expect(read("noise-log")).toMatch(/ ms\nnew\n$/);
  });

  test("goes through a pipe", () => {
    expect(shell("$CALL 2>/dev/null | cat")).toBe('"NOT_SPAM"\n');
  });

  test("goes to a socket", async () => {
    // Node's own pipes to a child are sockets.
    const [program = "", ...args] = command(["call", file(), "user_may_invite", "params.json"]);
    const child = spawn(program, args, { cwd: folder.root, stdio: ["ignore", "pipe", "ignore"] });
    let out = "";
    for await (const chunk of child.stdout) out += chunk;
    expect(out).toBe('"NOT_SPAM"\n');
  });

  test("goes to a terminal", () => {
    const said = execFileSync(
      "script",
      ["-qec", command(["call", file(), "user_may_invite", "params.json"]).join(" "), "/dev/null"],
      {
        cwd: folder.root,
        stdio: ["ignore", "pipe", "ignore"],
        encoding: "utf8",
      },
    );
    expect(said).toContain('"NOT_SPAM"');
  });

  test("that nobody reads is no fault of anybody", async () => {
    const large = folder.write(
      "unread.ts",
      moduleOf("user_may_invite", 'return [Codes.FORBIDDEN, { why: "x".repeat(5_000_000) }];'),
    );
    const { err } = await run(["call", large, "user_may_invite", "-"], PARAMS, { through: "head -c 5" });
    expect(err).not.toMatch(/EPIPE|^ {4}at /m);
  });

  test("that does not fit on the disk is told", () => {
    folder.write("params.json", PARAMS);
    const told = shell("$CALL 2>&1 >/dev/full; echo code $?");
    expect(told).toMatch(/^standard output: .*ENOSPC/m);
    expect(told).toMatch(/^code 2\n$/m);
    expect(told).not.toMatch(/^ {4}at /m);
  });

  test("of a large size arrives whole", async () => {
    const large = folder.write(
      "large.ts",
      moduleOf("check_event_allowed", 'return [true, { content: { body: "x".repeat(5_000_000) } }];'),
    );
    folder.write(
      "event.json",
      JSON.stringify({ event: { type: "m.room.message", sender: "@a:b", content: {} } }),
    );
    const { out } = await run(["call", large, "check_event_allowed", "event.json"]);
    expect(out.length).toBeGreaterThan(5_000_000);
  });
});

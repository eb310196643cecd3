// The wheel's `check` of modules that end, crash or hang the process that loads them, or print: it says what it has to.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import { folder, runWheel, wheelCommand } from "./command-line.js";

// Each real run imports Synapse, which on a busy machine takes seconds; a test has five.
jest.setTimeout(120_000);

const BRIDGE = "synapse_module_bridge.ModuleBridge";
const homeserver = (config: string) => `modules: [{ module: ${BRIDGE}, config: ${config} }]\n`;

describe("a module cannot spoil check", () => {
  const SOUND = "\nexport default { callbacks: { user_may_invite() {} } };";
  const NOISE =
    'import { execSync } from "node:child_process";\nimport { writeSync } from "node:fs";\n' +
    'writeSync(1, "raw\\n"); execSync("echo child", { stdio: "inherit" }); console.log("noise");';

  test.each([
    [
      "exits",
      "process.exit(0);",
      "Node ended while it loaded this module (it called process.exit(0), in exits): a module must not",
    ],
    [
      "aborts",
      "process.abort();",
      "Node ended while it loaded this module (it called process.abort(), in aborts)",
    ],
    [
      "crashes",
      "process.kill(process.pid, 'SIGSEGV'); while (true);",
      "Node ended while it loaded this module (it sent itself SIGSEGV, in crashes)",
    ],
    [
      "computes",
      "while (true);",
      "was not loaded within 6 s: does it wait, or compute for long, at its top level?",
    ],
    [
      "waits",
      "await new Promise(() => {});",
      "was not loaded within 6 s: does it wait, or compute for long, at its top level?",
    ],
  ])("that %s while it is loaded: it is named in the last line", async (name, text, words) => {
    const file = folder.write(`${name}.ts`, `console.log("noise");\n${text}${SOUND}`);
    folder.write("sound.ts", SOUND);
    const modules = `[{ path: sound.ts }, { path: ${file} }, { path: sound.ts, name: other }]`;
    // Long enough for a busy machine to have run the module at all.
    folder.write("ends.yaml", homeserver(`{ start_timeout: 6s, modules: ${modules} }`));
    const { code, out, err } = await runWheel(["check", "ends.yaml"]);
    const [headline, last] = out.trimEnd().split("\n").slice(-2);
    expect(headline).toBe("One fault:");
    expect(last).toContain(`modules[0].config.modules[1].path: ${file}: ${words}`);
    expect(err).toContain("noise\n");
    expect([code, out.includes("noise")]).toEqual([1, false]);
  });

  const shell = (script: string) => {
    const args = ["-c", script.replaceAll("$CHECK", '"$@"'), "sh", ...wheelCommand(["check", "noisy.yaml"])];
    return execFileSync("sh", args, { cwd: folder.root, stdio: "pipe", encoding: "utf8" });
  };
  const read = (name: string) => readFileSync(path.join(folder.root, name), "utf8");

  test("that prints: what check finds is alone on standard output, with what comes before and after it", () => {
    folder.write("noisy.ts", NOISE + SOUND);
    folder.write("noisy.yaml", homeserver("{ modules: [{ path: noisy.ts }] }"));
    // A pipe.
    const alone = shell("$CHECK 2>/dev/null");
    expect(alone).toContain("user_may_invite");
    expect(alone).not.toMatch(/raw|child|noise/);
    shell("(echo before; $CHECK; echo after) > checked.txt 2> checked-noise.txt");
    expect(read("checked.txt")).toBe(`before\n${alone}after\n`);
    expect(read("checked-noise.txt").split("\n").sort()).toEqual(["", "child", "noise", "raw"]);
    shell("$CHECK >> checked.txt 2>/dev/null; echo end >> checked.txt");
    expect(read("checked.txt")).toBe(`before\n${alone}after\n${alone}end\n`);
    // Who reads one line has enough.
    expect(shell("$CHECK 2>closed.txt | head -n 1; cat closed.txt").match(/Traceback|BrokenPipe/)).toBeNull();
    const terminal = `${wheelCommand(["check", "noisy.yaml"]).join(" ")} 2>/dev/null`;
    const args = ["-qec", terminal, "/dev/null"];
    const said = execFileSync("script", args, {
      cwd: folder.root,
      stdio: ["ignore", "pipe", "ignore"],
      encoding: "utf8",
    });
    expect(said.replaceAll("\r", "")).toBe(alone);
  });
});

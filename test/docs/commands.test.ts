// The commands in the pages are there: npm scripts, the test files that they name, and the bridge's own command with its options.
// And the versions that the pages call tested are those that the tests use.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { temporaryFolder } from "../support/temporary-folder.js";
import { isGenerated, ROOT, readPages } from "./pages.js";

const pages = readPages().filter((page) => !isGenerated(page));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** All that a pattern captures in the pages, each with its page. */
function named(pattern: RegExp): string[][] {
  return pages.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(([, ...captured]) => [path, ...captured.map(String)]),
  );
}

test("every npm script that a page names is one", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const found = named(/\bnpm run ([\w:-]+)/g);
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter(([, name = ""]) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("every test file that a command names is there", () => {
  const found = named(/\b(?:jest|pytest) -- (\S+)/g);
  expect(found.length).toBeGreaterThan(3);
  expect(found.filter(([, path = ""]) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("every use of the bridge's own command names a command that it has, and options that this takes", () => {
  const cli = read("bridge/command/command-line.ts");
  const commands = [...cli.matchAll(/\.command\("(\w+)"/g)].map(([, name]) => name);
  const options = [...cli.matchAll(/\.option\("(--[\w-]+)/g)].map(([, name]) => name);
  // What follows the command on its line, and on the next one after a backslash.
  const found = named(/(?<=^|[\s/`])synapse-module-bridge ((?:check|call|host|[a-z]+) (?:\\\n|[^`\n])*)/gm)
    .map(([page, rest = ""]) => [page, ...rest.split(/\s+/)])
    .filter(([, command = ""]) => /^[a-z]+$/.test(command) && command !== "typescript");
  expect(found.length).toBeGreaterThan(10);
  for (const [page = "", command = "", ...args] of found) {
    expect([page, command, commands.includes(command)]).toEqual([page, command, true]);
    for (const option of args.filter((arg = "") => /^--[a-z]/.test(arg)))
      expect([page, option, options.includes(option)]).toEqual([page, option, true]);
  }
});

test("npm's check and the wheel's take the same options, and the admin's page has them all", () => {
  const [, ofCheck = ""] = read("bridge/command/command-line.ts").split(
    /\.command\("check"\)|\.command\("describe"/,
  );
  const npm = [...ofCheck.matchAll(/\.option\("(--[\w-]+)/g)].map(([, name = ""]) => name).sort();
  const shim = read("python-shim/synapse_module_bridge/__main__.py");
  const wheel = [...shim.matchAll(/\.add_argument\(\s*"(--[\w-]+)/g)].map(([, name = ""]) => name).sort();
  expect(npm.length).toBeGreaterThan(3);
  expect(wheel).toEqual(npm);
  const page = read("docs/admin/operations.md");
  // The config of a single module is the author's.
  const described = npm.filter((name) => page.includes(`| \`${name}`));
  expect(described).toEqual(npm.filter((name) => name !== "--config"));
});

test.each(["build", "wheel"])("in a fresh clone, `npm run %s` says what to run first", (name) => {
  const clone = temporaryFolder();
  cpSync(join(ROOT, "scripts"), clone.path("scripts"), { recursive: true });
  const script = clone.path(`scripts/${name}.mjs`);
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  clone.remove();
  expect([status, stderr.split("\n").slice(1)]).toEqual([
    1,
    ["The npm packages are not installed: run `npm ci` first.", ""],
  ]);
});

test("the tested versions are those that the tests use", () => {
  const install = read("docs/admin/install.md");
  const row = (name: string) => new RegExp(`^\\| ${name} \\| (.*) \\|$`, "m").exec(install)?.[1] ?? "";
  const newest = /^matrix-synapse==(\S+)$/m.exec(read("python-shim/constraints.txt"))?.[1];
  const oldest = /OLDEST_SYNAPSE = "(.*)"/.exec(read("bridge/base/releases.ts"))?.[1];
  expect(row("Synapse")).toContain(`${oldest} or newer; tested up to ${newest} `);
  expect(install).toContain(`FROM matrixdotorg/synapse:v${newest}\n`);
  const nodes = [...read("scripts/nodes.mjs").matchAll(/version: "(\d+\.\d+)\.\d+", from: "pip"/g)].map(
    ([, one]) => one,
  );
  expect(nodes.length).toBe(2);
  expect(row("Node")).toContain(nodes.join(" and "));
  const needed = JSON.parse(read("package.json")).engines.node.replace(">=", "");
  expect(row("Node")).toMatch(`${needed} or newer`);
  const python = /^requires-python = ">=(.*)"$/m.exec(read("python-shim/pyproject.toml"))?.[1];
  expect(row("Python")).toMatch(`${python} or newer`);
});

test("a command for admins uses only variables that its page, or the page that it leads to, sets", () => {
  const admin = pages.filter(({ path }) => path.startsWith("docs/admin/"));
  const commands = admin.flatMap(({ path, text }) =>
    [...text.matchAll(/^.*\bapi .*$/gm)].map(([line]) => ({ path, line })),
  );
  expect(commands.length).toBeGreaterThan(15);
  const set = new Set(["TOKEN", "ADDRESS"]);
  const before = read("docs/admin/policy-went-wrong.md");
  for (const name of set) expect(before).toMatch(new RegExp(`^(?:read -rs )?${name}(?:=|$)`, "m"));
  const used = commands.flatMap(({ path, line }) =>
    [...line.matchAll(/"\$(\w+)/g)].map(([, name = ""]) => [path, name]),
  );
  expect(used.filter(([, name = ""]) => !set.has(name))).toEqual([]);
});

// The tutorial does what it says: its blocks are run in their order, with the packages that are built here, on a Synapse that
// listens on another port.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { waitFor } from "../../bridge/testing/synapse/wait.js";
import { type Fence, fencesOf, ROOT, readPages } from "../docs/pages.js";
import { projectRoot } from "../support/paths.js";
import { freePort } from "../support/ports.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { buildPackages, constraints } from "./environment.js";

const folder = temporaryFolder();
const project = folder.path("newcomers");
const page = readPages().find(({ path }) => path === "docs/author/tutorial.md");
let port: number;
let synapse: ReturnType<typeof spawn> | undefined;
/** What the page installs from registries, and where it is here. */
let here: [name: RegExp, path: string][];

jest.setTimeout(400_000);

beforeAll(async () => {
  mkdirSync(project);
  port = await freePort();
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder.root];
  const tarball = execFileSync("npm", pack, { cwd: projectRoot, encoding: "utf8" }).trim();
  const [wheel = ""] = await buildPackages(join(projectRoot, "python-shim"), folder.path("built"), ["wheel"]);
  here = [
    [/(npm install --save-dev) synapse-module-bridge/, `$1 ${folder.path(tarball)}`],
    [/(pip install) synapse-module-bridge/, `$1 --quiet ${wheel} -c ${constraints}`],
  ];
});

afterAll(() => {
  synapse?.kill("SIGKILL");
  folder.remove();
});

/** The blocks of a section, by the number in its heading. */
function section(number: number): Fence[] {
  const [, after = ""] = page?.text.split(new RegExp(`^## ${number}\\. .*$`, "m")) ?? [];
  return fencesOf({ path: "", text: after.split(/^## /m)[0] ?? "" });
}

/** Saves the files that a section shows: each after the words that name it. */
function save(number: number): void {
  const text = page?.text.split(new RegExp(`^## ${number}\\. .*$`, "m"))[1]?.split(/^## /m)[0] ?? "";
  const files = [
    ...text.matchAll(/(?:Save this as|Replace) `([\w.]+)`[^\n]*\n(?:[^`\n][^\n]*\n)*\n```\w+\n(.*?)^```/gms),
  ];
  expect(files.length).toBeGreaterThan(0);
  for (const [, name = "", content = ""] of files)
    writeFileSync(join(project, name), content.replaceAll("localhost:8008", `localhost:${port}`));
}

/** Runs the lines of a shell block that a test has chosen; gives what they print. */
function run(number: number, chosen: RegExp): string {
  const lines = section(number)
    .filter(({ info }) => info === "sh")
    .flatMap(({ text }) => text.trim().split("\n"))
    .filter((line) => chosen.test(line));
  expect(lines.length).toBeGreaterThan(0);
  const script = lines
    .map((line) => here.reduce((text, [name, path]) => text.replace(name, path), line))
    .join("\n")
    .replaceAll("localhost:8008", `localhost:${port}`)
    .replace(/\$\(pgrep [^)]*\)/, String(synapse?.pid));
  return execFileSync("bash", ["-ec", script], { cwd: project, encoding: "utf8", timeout: 300_000 });
}

test("1 to 4: a policy is written, checked, and tried by hand", () => {
  run(1, /^npm/);
  save(1);
  save(2);
  expect(run(3, /check/)).toContain("No faults.");
  save(4);
  expect(run(4, /call/)).toBe('"M_FORBIDDEN"\n');
});

test("5: with a configuration it still checks, and `call` says that there is no Synapse to ask", () => {
  save(5);
  expect(run(3, /check/)).toContain("No faults.");
  expect(() => run(4, /call/)).toThrow("there is no Synapse to ask");
});

test("6 to 8: a real Synapse asks the policy, and reloads it", async () => {
  run(6, /^python3|pip install|--generate-config/);
  save(6);
  const yaml = readFileSync(join(project, "homeserver.yaml"), "utf8");
  writeFileSync(join(project, "homeserver.yaml"), yaml.replaceAll("8008", String(port)));
  expect(run(6, / check /)).toContain("No faults.");
  const start = section(6)
    .flatMap(({ text }) => text.split("\n"))
    .find((line) => /synapse\.app\.homeserver/.test(line) && !line.includes("--generate-config"));
  synapse = spawn("bash", ["-c", `exec ${start}`], { cwd: project, stdio: "ignore" });
  const up = async () =>
    (await fetch(`http://localhost:${port}/health`).catch(() => undefined))?.ok || undefined;
  await waitFor("Synapse to answer", up, 60_000);
  run(7, /register_new_matrix_user/);
  save(7);
  const said = run(7, /say\.mjs/);
  expect(said).toMatch(/^hello \{\s*status: 200/m);
  expect(said).toMatch(
    /casino\.example \{\s*status: 403,[\s\S]*M_FORBIDDEN[\s\S]*org\.example\.try_again_in_ms/,
  );
  const lines = ["a newcomer posts a link", "outcome=refused"];
  const logged = () => lines.every((line) => readLog().includes(line)) || undefined;
  await waitFor("the lines of the log", logged);
  expect(run(7, /^grep/)).toContain("outcome=refused");
  writeFileSync(join(project, "newcomers.yaml"), "hours: 0\n");
  run(8, /^kill/);
  await waitFor("the reload", () => readLog().includes("have taken over") || undefined, 30_000);
  expect(run(8, /say\.mjs/)).toMatch(/casino\.example \{\s*status: 200/);
});

function readLog(): string {
  return readFileSync(join(project, "homeserver.log"), "utf8");
}

test("the test reads the page that it means", () => {
  expect(page?.text).toBe(readFileSync(join(ROOT, "docs/author/tutorial.md"), "utf8"));
  expect([1, 2, 3, 4, 5, 6, 7, 8].map((number) => section(number).length > 0)).not.toContain(false);
});

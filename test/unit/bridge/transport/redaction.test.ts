// No password that a callback is asked with gets into a log line or an error, whatever a module does with it.
import { expect, test } from "@jest/globals";
import { load } from "../calls/chain.js";
import { folder, rig } from "../each-rig.js";
import { errorOf } from "../rig.js";

const CANARY = "canary7f3a";
const PARAMS = { medium: "email", address: "a@b", password: CANARY };

test.each([
  ["throws it", "throw new Error('wrong: ' + params.password);"],
  [
    "throws it in lines that look like a stack",
    "throw new Error('x\\n    at ' + params.password + ' (/a.ts:1:1)');",
  ],
  ["throws it bare", "throw params.password;"],
  ["throws an object with it", "throw { message: params.password, password: params.password };"],
  ["throws an error named after it", "throw Object.assign(new Error('x'), { name: params.password });"],
  ["throws it as a cause", "throw new Error('x', { cause: params.password });"],
  [
    "throws a SynapseError with it",
    "throw new SynapseError(403, params.password, 'M_X', { a: params.password });",
  ],
  [
    "throws a SynapseError with it that is none",
    "throw Object.assign(new SynapseError(403, params.password), { code: 7 });",
  ],
  ["answers with it", "return [params.password];"],
  ["answers with it twice", "return [params.password, params.password];"],
  ["answers with an object of it", "return { [params.password]: 1 };"],
  [
    "leaves it for later, and then throws it",
    "return ['@a:b', () => { throw new Error(params.password); }];",
  ],
])("a module that %s", async (_, body) => {
  const names = await load("check_3pid_auth", body);
  const asking = rig.callback("check_3pid_auth", PARAMS, names);
  const found = await asking.catch(() => undefined);
  const error = found
    ? await errorOf(rig.followUp("check_3pid_auth", (found.answer as unknown[])[1], { login_response: {} }))
    : await errorOf(asking);
  expect(JSON.stringify(error)).not.toContain(CANARY);
  expect(JSON.stringify(rig.lines)).not.toContain(CANARY);
  expect(error.code).toBeLessThan(-32000);
});

test("the log tells where it was thrown, and of what class it is", async () => {
  const names = await load("check_3pid_auth", "throw new RangeError(params.password);");
  const error = await errorOf(rig.callback("check_3pid_auth", PARAMS, names));
  const said = "RangeError (its text is not shown, since it may hold a password)";
  expect(error.message).toBe(`a: check_3pid_auth threw ${said}`);
  const [line] = rig.lines.filter(({ level }) => level === 50);
  expect((line as { err: { stack: string } }).err.stack).toContain(`a.ts:`);
  expect((line as { err: { stack: string } }).err.stack).toContain(said);
  expect(folder.root).toBeTruthy();
});

test("an entry of auth_checkers is asked by its place", async () => {
  const file = folder.write(
    "checkers.ts",
    `export default { callbacks: { auth_checkers: [
      { login_type: "a", fields: [], handler: () => null },
      { login_type: "b", fields: ["c"], handler: ({ username, login_type, login_dict }) => \`@\${username}.\${login_type}.\${login_dict.c}:example.org\` },
    ] } };`,
  );
  await rig.load([{ path: file }]);
  const params = { username: "alice", login_type: "b", login_dict: { c: "d" } };
  expect(await rig.checker(1, params, "checkers")).toMatchObject({
    answer: "@alice.b.d:example.org",
    module: "checkers",
  });
  expect(await rig.checker(0, params, "checkers")).toMatchObject({ answer: null, module: null });
  expect(await errorOf(rig.checker(2, params, "checkers"))).toMatchObject({ code: -32003 });
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";

let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  hs = await startSynapse({
    modules: [{ path: "examples/policies/registration-rules.ts", config: { per_day: 1 }, grants: ["store"] }],
  });
}, 150_000);
afterAll(() => hs?.close());

const register = (username: string) =>
  hs.request("POST", "/_matrix/client/v3/register", {
    username,
    password: "a password that is long",
    auth: { type: "m.login.dummy" },
  });

test("the client is told that a name is reserved, and the second account of an address is refused", async () => {
  await expect(register("the-admin")).rejects.toMatchObject({
    status: 400,
    errcode: "M_INVALID_USERNAME",
    error: "This name is reserved. Please choose another one.",
  });
  expect(await register("alice")).toMatchObject({ user_id: `@alice:${hs.server_name}` });
  await expect(register("bob")).rejects.toMatchObject({ status: 429 });
  const reasons = (await hs.decisions({ callback: "check_registration_for_spam" })).map(
    ({ reason }) => reason,
  );
  expect(reasons).toEqual(["a reserved name", "too many accounts from one address"]);
});

test("an admin makes an account with any name", async () => {
  expect((await hs.user("support")).user_id).toBe(`@support:${hs.server_name}`);
});

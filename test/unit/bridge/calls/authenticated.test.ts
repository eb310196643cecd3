// Which users a module may answer a login with.
import { expect, test } from "@jest/globals";
import { UnfitAnswer } from "../../../../bridge/calls/answer.js";
import { checkAuthenticated } from "../../../../bridge/calls/authenticated.js";

const ALICE = "@alice:example.org";

/** Checks an answer on a server that knows a user by this id. */
async function check(answer: unknown, registered: string | null = ALICE): Promise<string[]> {
  const asked: string[] = [];
  await checkAuthenticated(answer, {
    server_name: "example.org",
    check_user_exists: async ({ user_id }: { user_id: string }) => {
      asked.push(user_id);
      return registered;
    },
  });
  return asked;
}

test("a registered user of this server may log in, also where something is left for later", async () => {
  expect(await check(ALICE)).toEqual([ALICE]);
  expect(await check([ALICE, { module: "m", id: "1" }])).toEqual([ALICE]);
  expect(await check("@a:example.org", "@a:example.org")).toEqual(["@a:example.org"]);
});

test("an answer that names no user is not looked at", async () => {
  expect(await check(null)).toEqual([]);
});

test.each([
  "alice",
  "alice:example.org",
  "@alice",
  "@:example.org",
  "@alice:example.com",
  "@alice:example.org:1",
  "",
])("%j is no user of this server, and is not shown", async (answer) => {
  await expect(check(answer)).rejects.toThrow(
    new UnfitAnswer(
      "answered with something that is not the full id of a user of this server, such as @alice:example.org",
    ),
  );
});

test("a user who does not exist, or whose id is written otherwise, may not", async () => {
  await expect(check(ALICE, null)).rejects.toThrow(
    new UnfitAnswer("answered with a user that does not exist: register the user first"),
  );
  await expect(check("@Alice:example.org")).rejects.toThrow(
    new UnfitAnswer(
      "answered with a user whose id is written in another case: answer with the registered id",
    ),
  );
});

test("an answer counts where Synapse cannot say whether the user exists", async () => {
  const api = { server_name: "example.org", check_user_exists: () => Promise.reject(new Error("down")) };
  await expect(checkAuthenticated(ALICE, api)).resolves.toBeUndefined();
});

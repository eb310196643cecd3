// Tests the module on a real Synapse, as users meet it.
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { afterAll, beforeAll, expect, test } from "vitest";

let hs: TestSynapse;
beforeAll(async () => {
  hs = await startSynapse({
    modules: [{ path: "src/newcomer-limits.ts", config: { per_hour: 1 }, grants: ["store"] }],
  });
});
afterAll(() => hs?.close());

test("the second invite of a new account is refused", async () => {
  const [alice, bob, carol] = await Promise.all([hs.user("alice"), hs.user("bob"), hs.user("carol")]);
  const room = await alice.createRoom();
  await alice.invite(room, bob.user_id);
  await expect(alice.invite(room, carol.user_id)).rejects.toMatchObject({
    status: 403,
    errcode: "M_LIMIT_EXCEEDED",
  });
  expect(await hs.decisions({ callback: "user_may_invite" })).toMatchObject([
    { module: "newcomer-limits", outcome: "refused", user: alice.user_id, room },
  ]);
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";

let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  const config = { messages_per_minute: 3, invites_per_hour: 1 };
  hs = await startSynapse({
    modules: [{ path: "examples/policies/new-account-limits.ts", config, grants: ["store"] }],
  });
}, 150_000);
afterAll(() => hs?.close());

test("a new account is limited in all rooms together, and may leave; an admin is not limited", async () => {
  const [alice, bob, admin] = [
    await hs.user("alice"),
    await hs.user("bob"),
    await hs.user("admin", { admin: true }),
  ];
  const [first, second] = [await alice.createRoom(), await alice.createRoom()];
  // A minute may end within the test: of so many messages, some are refused in any case.
  const sent = [];
  for (let count = 0; count < 7; count++)
    sent.push(await alice.send(count % 2 ? first : second, "hello").catch((error) => error));
  expect(typeof sent[0]).toBe("string");
  expect(sent).toContainEqual(
    expect.objectContaining({
      status: 403,
      errcode: "M_LIMIT_EXCEEDED",
      body: expect.objectContaining({ retry_after_ms: expect.any(Number) }),
    }),
  );
  await alice.setState(first, "m.room.topic", { topic: "tea" });
  await alice.leave(first);

  const room = await admin.createRoom();
  for (let count = 0; count < 7; count++) await admin.send(room, "hello");
  await admin.invite(room, bob.user_id);
});

test("a new account invites so many, also while it creates a room", async () => {
  const [bob, carol, dave] = [await hs.user("bob"), await hs.user("carol"), await hs.user("dave")];
  const room = await bob.createRoom();
  await bob.invite(room, carol.user_id);
  const refused = { status: 403, errcode: "M_LIMIT_EXCEEDED" };
  await expect(bob.invite(room, dave.user_id)).rejects.toMatchObject(refused);
  await expect(bob.createRoom({ invite: [dave.user_id] })).rejects.toMatchObject(refused);
  const [decision] = await hs.decisions({ callback: "user_may_invite" });
  expect(decision).toMatchObject({
    outcome: "refused",
    user: bob.user_id,
    reason: "a new account has sent too many invites",
  });
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";

let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  hs = await startSynapse({
    modules: [{ path: "examples/policies/invite-servers.ts", config: { servers: ["friends.example"] } }],
    servers: 2,
  });
}, 150_000);
afterAll(() => hs?.close());

test("invites within the server pass, others in both directions do not", async () => {
  const [alice, bob, remote] = [
    await hs.user("alice"),
    await hs.user("bob"),
    await hs.peers[0]?.user("remote"),
  ];
  if (!remote) throw new Error("there is no peer");
  const room = await alice.createRoom({ preset: "private_chat" });
  await alice.invite(room, bob.user_id);
  await bob.join(room);
  await expect(alice.invite(room, remote.user_id)).rejects.toMatchObject({
    status: 403,
    errcode: "M_FORBIDDEN",
    error: `Users of ${hs.peers[0]?.server_name} may not be invited from this server.`,
  });
  const theirs = await remote.createRoom({ preset: "private_chat" });
  await expect(remote.invite(theirs, alice.user_id)).rejects.toMatchObject({ status: 403 });
  const [, incoming] = await hs.decisions({ callback: "user_may_invite" });
  expect(incoming).toMatchObject({ user: remote.user_id, room: theirs, outcome: "refused" });
});

test("who is invited may decline", async () => {
  const [alice, bob] = [await hs.user("alice"), await hs.user("bob")];
  const room = await alice.createRoom({ preset: "private_chat" });
  await alice.invite(room, bob.user_id);
  await bob.leave(room);
});

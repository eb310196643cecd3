import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";

let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  hs = await startSynapse({ modules: [{ path: "examples/policies/rooms-by-admins.ts" }] });
}, 150_000);
afterAll(() => hs?.close());

test("a user creates direct chats only, and is told why", async () => {
  const [alice, bob] = [await hs.user("alice"), await hs.user("bob")];
  await expect(alice.createRoom()).rejects.toMatchObject({
    status: 403,
    errcode: "M_FORBIDDEN",
    error: "Only admins of this server may create rooms.",
  });
  const chat = await alice.createRoom({
    is_direct: true,
    preset: "trusted_private_chat",
    invite: [bob.user_id],
  });
  await bob.join(chat);
  await bob.send(chat, "hello");
});

test("an admin creates rooms, and hands them over; an upgrade is for admins, too", async () => {
  const [alice, admin] = [await hs.user("alice"), await hs.user("admin", { admin: true })];
  const power_level_content_override = { users: { [admin.user_id]: 100, [alice.user_id]: 100 } };
  const create = () =>
    admin.createRoom({ room_version: "11", invite: [alice.user_id], power_level_content_override });
  const room = await create();
  await alice.join(room);
  const upgrade = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/upgrade`;
  const body = { new_version: "11" };
  await expect(alice.request("POST", upgrade, body)).rejects.toMatchObject({
    status: 403,
    error: "Only admins of this server may upgrade rooms.",
  });
  await alice.send(room, "it is still open");
  await alice.leave(room);
});

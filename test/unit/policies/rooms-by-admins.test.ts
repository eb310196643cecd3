import { expect, test } from "@jest/globals";
import { createTester, event } from "synapse-module-bridge/testing";
import policy from "../../../examples/policies/rooms-by-admins.js";

const users = { "@admin:example.org": { admin: true }, "@a:example.org": {} };
const start = (config = {}) => createTester(policy, { users, config });
const direct = { is_direct: true, preset: "trusted_private_chat", invite: ["@b:example.org"] };

test.each([
  ["a room", {}, false],
  ["a direct chat", direct, true],
  ["a direct chat by email", { ...direct, invite: [], invite_3pid: [{ medium: "email" }] }, true],
  [
    "an encrypted direct chat",
    { ...direct, initial_state: [{ type: "m.room.encryption", content: {} }] },
    true,
  ],
  ["a direct chat with odd state", { ...direct, initial_state: [null, "x", []] }, true],
  ["a direct chat with nobody", { ...direct, invite: [] }, false],
  ["a direct chat with two", { ...direct, invite: ["@b:example.org", "@c:example.org"] }, false],
  ["a public direct chat", { ...direct, preset: "public_chat" }, false],
  ["a listed direct chat", { ...direct, visibility: "public" }, false],
  ["a direct chat with an address", { ...direct, room_alias_name: "lobby" }, false],
  [
    "a direct chat open to all",
    { ...direct, initial_state: [{ type: "m.room.join_rules", content: {} }] },
    false,
  ],
])("a user may create %s: %j: %s", async (_, request_content, may) => {
  await using t = await start();
  const params = {
    requester: { user_id: "@a:example.org" },
    request_content,
    is_requester_admin: false,
  } as const;
  const result = await t.ask("on_create_room", params);
  expect(result).toMatchObject(
    may ? { outcome: "done" } : { outcome: "refused", error: { code: 403, errcode: "M_FORBIDDEN" } },
  );
});

test("without direct_chats, a user may not create one either", async () => {
  await using t = await start({ direct_chats: false });
  const params = {
    requester: { user_id: "@a:example.org" },
    request_content: direct,
    is_requester_admin: false,
  } as const;
  expect(await t.ask("on_create_room", params)).toMatchObject({ outcome: "refused" });
});

test.each([
  ["an admin", "@admin:example.org", true],
  ["who is listed", "@teacher-1:example.org", false],
] as const)("%s creates rooms at no cost", async (_, user_id, is_requester_admin) => {
  await using t = await start({ creators: ["@teacher-*:example.org"] });
  const params = { requester: { user_id }, request_content: {}, is_requester_admin };
  expect(await t.ask("on_create_room", params)).toEqual({ asked: false, why: "match" });
});

test("only admins upgrade rooms", async () => {
  await using t = await start({ creators: ["@teacher-*:example.org"] });
  const upgrade = (sender: string) =>
    t.ask("check_event_allowed", { event: event.tombstone("!new:example.org", { sender }) });
  expect(await upgrade("@a:example.org")).toMatchObject({ outcome: "refused", error: { code: 403 } });
  expect(await upgrade("@admin:example.org")).toMatchObject({ outcome: "allowed" });
  expect(await upgrade("@teacher-1:example.org")).toEqual({ asked: false, why: "match" });
});

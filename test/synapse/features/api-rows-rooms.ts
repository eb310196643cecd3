// What modules can ask and do about rooms.
import { expect } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import type { Body, Client } from "../../support/client.js";
import { newUser, type Rows, type World } from "./api-row.js";

const inRoom = ({ room }: World) => ({ room_id: room });

async function listed(client: Client, name: string): Promise<string[]> {
  const filter = { generic_search_term: name };
  const { body } = await client.post("/_matrix/client/v3/publicRooms", { filter });
  return body.chunk.map((room: Body) => room.name);
}

/** Synapse lists a room once it has counted its members, in the background. */
const isListed = (client: Client, name: string) =>
  waitFor(`${name} to be listed`, async () => (await listed(client, name)).includes(name));

export const roomRows: Rows = {
  get_room_state: [
    {
      params: inRoom,
      result: (events: Body[]) => expect(events.map(({ type }) => type)).toContain("m.room.create"),
    },
    {
      title: "filtered",
      params: (world) => ({ ...inRoom(world), event_filter: [["m.room.member", null]] }),
      result: [{ type: "m.room.member", state_key: "@alice:test.localhost", room_version: "12" }],
    },
    { title: "of no room", params: { room_id: "!none:test.localhost" }, result: [] },
  ],
  get_state_events_in_room: [
    {
      params: (world) => ({ ...inRoom(world), types: [["m.room.join_rules", ""]] }),
      result: [{ content: { join_rule: "public" } }],
    },
  ],
  lookup_room_alias: [
    {
      params: ({ tag }) => ({ room_alias: `#lobby${tag}:test.localhost` }),
      result: (found: unknown, { room }: World) => expect(found).toEqual([room, ["test.localhost"]]),
    },
    {
      title: "of no room",
      params: { room_alias: "#none:test.localhost" },
      error: { code: 404, errcode: "M_NOT_FOUND" },
    },
  ],
  get_canonical_room_alias: [
    {
      params: inRoom,
      result: (alias: unknown, { tag }: World) => expect(alias).toBe(`#lobby${tag}:test.localhost`),
    },
    {
      title: "of a room without",
      params: async ({ alice }) => ({ room_id: (await alice.createRoom()).body.room_id }),
      result: null,
    },
    { title: "of no room id", params: { room_id: "lobby" }, error: { code: 400 } },
  ],
  create_and_send_event_into_room: [
    {
      params: ({ alice, room }) => ({
        event_dict: {
          ...{ type: "m.room.message", room_id: room, sender: alice.userId },
          content: { msgtype: "m.notice", body: "from a module" },
        },
      }),
      result: async ({ event_id, room_version }: Body, { alice, room }: World) => {
        expect(room_version).toBe("12");
        expect((await alice.event(room, event_id)).body.content.body).toBe("from a module");
      },
    },
    {
      title: "without a sender",
      params: ({ room }) => ({ event_dict: { type: "m.room.message", room_id: room, content: {} } }),
      error: { kind: "api_error", exception: "KeyError" },
    },
  ],
  update_room_membership: [
    {
      params: async ({ alice, admin }) => ({
        ...{ sender: alice.userId, target: admin.userId, new_membership: "invite" },
        room_id: (await alice.createRoom()).body.room_id,
        content: { reason: "please" },
      }),
      result: async ({ room_id, state_key, type }: Body, { alice, admin }: World) => {
        expect([type, state_key]).toEqual(["m.room.member", admin.userId]);
        const { body } = await alice.getState(room_id, "m.room.member", admin.userId);
        expect(body).toMatchObject({ membership: "invite", reason: "please" });
      },
    },
    {
      title: "by another server's user",
      params: { sender: "@a:b", target: "@a:b", room_id: "!r", new_membership: "join" },
      error: { kind: "api_error", exception: "RuntimeError" },
    },
  ],
  create_room: [
    {
      params: ({ alice, tag }) => ({
        ...{ user_id: alice.userId, config: { name: "By a module", room_alias_name: `made${tag}` } },
        creator_join_profile: { displayname: "Creator" },
      }),
      result: async ([room_id, alias]: string[], { alice, tag }: World) => {
        expect(alias).toBe(`#made${tag}:test.localhost`);
        const room = room_id as string;
        expect((await alice.getState(room, "m.room.name")).body).toEqual({ name: "By a module" });
        const { body } = await alice.getState(room, "m.room.member", alice.userId);
        expect(body).toMatchObject({ displayname: "Creator" });
      },
    },
  ],
  delete_room: [
    {
      params: async (world) => {
        const owner = await newUser(world, "owner");
        return { room_id: (await owner.createRoom({ name: `to be deleted${world.tag}` })).body.room_id };
      },
      result: async (_: null, { admin, tag }: World) => {
        await waitFor("the room to be deleted", async () => {
          const { body } = await admin.admin("GET", `v1/rooms?search_term=deleted${tag}`);
          return body.rooms.length === 0;
        });
      },
    },
  ],
  "public_room_list_manager.room_is_in_public_room_list": [
    { params: inRoom, result: true },
    { title: "of no room", params: { room_id: "!none:test.localhost" }, result: false },
  ],
  "public_room_list_manager.add_room_to_public_room_list": [
    {
      params: async ({ alice, tag }) => {
        const { body } = await alice.createRoom({ name: `added${tag}`, preset: "public_chat" });
        return { room_id: body.room_id };
      },
      result: (_: null, { alice, tag }: World) => isListed(alice, `added${tag}`),
    },
    {
      title: "of no room",
      params: { room_id: "!none:test.localhost" },
      error: { code: 404, errcode: "M_UNKNOWN" },
    },
  ],
  "public_room_list_manager.remove_room_from_public_room_list": [
    {
      params: async ({ alice, tag }) => {
        const { body } = await alice.createRoom({
          name: `removed${tag}`,
          preset: "public_chat",
          visibility: "public",
        });
        await isListed(alice, `removed${tag}`);
        return { room_id: body.room_id };
      },
      result: async (_: null, { alice, tag }: World) =>
        expect(await listed(alice, `removed${tag}`)).toEqual([]),
    },
  ],
};

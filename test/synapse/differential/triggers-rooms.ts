// Client requests about rooms that make Synapse ask the callbacks.
import type { Client } from "../../support/client.js";
import { shown } from "./normal.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const fewAnswers = ["NOT_SPAM", "Codes.FORBIDDEN", "a SynapseError (403, M_FORBIDDEN)"];
const userId = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;
const fewPermissions = ["true", "false", "an exception"];

/** The content that another member of the room finds in an event. */
async function contentSeenBy(reader: Client, room: string, eventId: string | undefined): Promise<unknown> {
  if (eventId === undefined) return "no event";
  return shown(await reader.event(room, eventId));
}

/** A fresh room of alice's, for what changes or ends a room. */
async function freshRoom({ alice, names }: Side): Promise<string> {
  const { body } = await alice.createRoom({ preset: "public_chat" });
  names.set(body.room_id, "<the fresh room>");
  return body.room_id;
}

async function membership(side: Side, room: string, user: string): Promise<unknown> {
  const { status, body } = await side.alice.getState(room, "m.room.member", user);
  return { status, membership: body.membership };
}

const message: Trigger = {
  title: "a message",
  async act({ alice, bob, room }, _prepared, n) {
    const answer = await bob.send(
      room,
      { msgtype: "m.text", body: `message ${n}` },
      "m.room.message",
      `txn${n}`,
    );
    return { answers: [answer], effect: () => contentSeenBy(alice, room, answer.body.event_id) };
  },
};

const stateEvent: Trigger = {
  title: "a state event",
  async act({ alice, bob, room }, _prepared, n) {
    const content = { n, nested: { list: [1, "two", null, { "": true }] }, "☃": "𝒳" };
    const answer = await alice.setState(room, "org.example.state", "a key", content);
    const effect = async () => shown(await bob.getState(room, "org.example.state", "a key"));
    return { answers: [answer], effect };
  },
};

const threepidInvite: Trigger = {
  title: "an invite by email",
  async act({ alice, identity, room }, _prepared, n) {
    const address = `Guest.${n}@example.org`;
    const threepid = { id_server: identity.name, id_access_token: "token", medium: "email", address };
    const answer = await alice.inviteThreepid(room, threepid);
    const effect = async () => {
      const { status, text } = await alice.getState(
        room,
        "m.room.third_party_invite",
        `token for ${address}`,
      );
      return { status, text };
    };
    return { answers: [answer], effect };
  },
};

const publication: Trigger = {
  title: "a room that is published",
  async act({ alice, room }) {
    const answer = await alice.setVisibility(room, "public");
    const effect = async () => {
      const { body } = await alice.visibility(room);
      await alice.setVisibility(room, "private");
      return body;
    };
    return { answers: [answer], effect };
  },
};

const createdRoom = (
  title: string,
  options: Record<string, unknown>,
  only: readonly string[] = [],
): Trigger => ({
  title,
  ...(only.length > 0 && { only }),
  async act({ alice, names }, _prepared, n) {
    const answer = await alice.createRoom({ name: `Room ${n}`, ...options });
    const room = answer.body.room_id;
    if (room) names.set(room, "<the created room>");
    const effect = async () => {
      const rooms = (await alice.get("/_matrix/client/v3/joined_rooms")).body.joined_rooms.length;
      if (!room) return { rooms };
      const state = (await alice.roomState(room)).body;
      const byKey = (event: { type: string; state_key: string }) => `${event.type} ${event.state_key}`;
      state.sort((a: never, b: never) => (byKey(a) < byKey(b) ? -1 : 1));
      return {
        rooms,
        state: state.map(({ type, state_key, content }: never) => ({ type, state_key, content })),
      };
    };
    return { answers: [answer], effect };
  },
});

export const roomTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  check_event_for_spam: [message, stateEvent],
  user_may_join_room: [
    {
      title: "a join",
      prepare: (side, n) => side.user(`joiner${n}`),
      async act(side, joiner: Client) {
        const answer = await joiner.join(side.room);
        return { answers: [answer], effect: () => membership(side, side.room, joiner.userId) };
      },
    },
    {
      title: "an accepted invite",
      only: fewAnswers,
      async prepare(side, n) {
        const guest = await side.user(`guest${n}`);
        await side.alice.invite(side.room, guest.userId);
        return guest;
      },
      async act(side, guest: Client) {
        const answer = await guest.join(side.room);
        return { answers: [answer], effect: () => membership(side, side.room, guest.userId) };
      },
    },
  ],
  user_may_invite: [
    {
      title: "an invite",
      async act(side, _prepared, n) {
        const invitee = userId(side, `invitee${n}`);
        const answer = await side.alice.invite(side.room, invitee);
        return { answers: [answer], effect: () => membership(side, side.room, invitee) };
      },
    },
  ],
  user_may_send_3pid_invite: [threepidInvite],
  user_may_create_room: [
    createdRoom("a new room", { preset: "private_chat", topic: "Talk" }),
    {
      title: "a room upgrade",
      only: fewAnswers,
      prepare: freshRoom,
      async act({ alice, names }, room: string) {
        const answer = await alice.post(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/upgrade`, {
          new_version: "11",
        });
        if (answer.body.replacement_room) names.set(answer.body.replacement_room, "<the new room>");
        const effect = async () => (await alice.getState(room, "m.room.tombstone")).body;
        return { answers: [answer], effect };
      },
    },
  ],
  user_may_create_room_alias: [
    {
      title: "a room alias",
      async act(side, _prepared, n) {
        const alias = `#alias${n}:${side.server.serverName}`;
        const answer = await side.alice.createAlias(alias, side.room);
        const effect = async () => (await side.bob.lookUpAlias(alias)).body;
        return { answers: [answer], effect };
      },
    },
  ],
  user_may_publish_room: [publication],
  user_may_send_state_event: [stateEvent],
  check_event_allowed: [
    message,
    stateEvent,
    {
      title: "a user's own leave",
      only: ["true", "false", "an exception"],
      async prepare(side, n) {
        const leaver = await side.user(`goer${n}`);
        await leaver.join(side.room);
        return leaver;
      },
      async act(side, leaver: Client) {
        const answer = await leaver.leave(side.room);
        return { answers: [answer], effect: () => membership(side, side.room, leaver.userId) };
      },
    },
  ],
  on_create_room: [createdRoom("a new room", { preset: "private_chat", topic: "Talk" })],
  check_threepid_can_be_invited: [threepidInvite],
  check_visibility_can_be_modified: [
    publication,
    createdRoom("a new room that is public", { visibility: "public" }, fewPermissions),
  ],
  on_new_event: [message, stateEvent],
  check_can_shutdown_room: [
    {
      title: "a room that an admin deletes",
      prepare: freshRoom,
      async act(side, room: string) {
        const answer = await side.admin.admin("DELETE", `v1/rooms/${encodeURIComponent(room)}`, {
          purge: true,
        });
        const effect = async () =>
          (await side.admin.admin("GET", `v1/rooms/${encodeURIComponent(room)}`)).status;
        return { answers: [answer], effect };
      },
    },
  ],
};

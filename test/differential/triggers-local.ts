/** Client requests that make Synapse ask each callback of the local kind. */
import { Client, password, registerBySecret, signedIn } from "../homeserver/client.js";
import { waitFor } from "../homeserver/wait.js";
import { shown } from "./normal.js";
import { pngOfSize } from "./png.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const fewAnswers = ["NOT_SPAM", "Codes.FORBIDDEN", "a SynapseError (403, M_FORBIDDEN)"];
const fewPermissions = ["true", "false", "an exception"];
const anonymous = (side: Side) => new Client(side.server.baseUrl);
const userId = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;

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

const deactivation = (title: string, request: "admin" | "user", more: object = {}): Trigger => ({
  title,
  prepare: (side, n) => side.user(`leaver${n}`),
  async act(side, user: Client) {
    const answer =
      request === "admin"
        ? await side.admin.admin("POST", `v1/deactivate/${user.userId}`, { erase: false, ...more })
        : await user.deactivate(password, more as Record<string, unknown>);
    const effect = async () => {
      const { body } = await side.admin.admin("GET", `v2/users/${user.userId}`);
      return { deactivated: body.deactivated, erased: body.erased, token: (await user.whoami()).status };
    };
    return { answers: [answer], effect };
  },
});

const threepids = (title: string, before: string[], after: string[]): Trigger => {
  const put = (side: Side, user: Client, addresses: string[]) =>
    side.admin.admin("PUT", `v2/users/${user.userId}`, {
      threepids: addresses.map((address) => ({
        medium: "email",
        address: `${user.userId.slice(1, 8)}.${address}`,
      })),
    });
  return {
    title,
    async prepare(side, n) {
      const user = await side.user(`mail${n}`);
      if (before.length > 0) await put(side, user, before);
      return user;
    },
    async act(side, user: Client) {
      const answer = await put(side, user, after);
      const effect = async () => (await side.admin.admin("GET", `v2/users/${user.userId}`)).body.threepids;
      return { answers: [answer], effect };
    },
  };
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

export const localTriggers: Readonly<Record<string, readonly Trigger[]>> = {
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
        const answer = await side.bob.invite(side.room, invitee);
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
  check_username_for_spam: [
    {
      title: "a search of the user directory",
      async prepare(side, n) {
        const name = (half: string) => `findme${n}${half}`;
        for (const half of ["a", "b"]) {
          const user = await side.user(name(half));
          if (half === "b") await user.setProfile("displayname", `Find Me ${n}`);
        }
        return `findme${n}`;
      },
      when: (side, n) => ({ "user_profile.user_id": userId(side, `findme${n}a`) }),
      async act({ alice }, term: string) {
        return { answers: [await alice.searchUsers(term)] };
      },
    },
  ],
  check_registration_for_spam: [
    {
      title: "a registration",
      async act(side, _prepared, n) {
        const answer = await anonymous(side).register(`newcomer${n}`, password);
        const effect = async () => {
          const { body } = await side.admin.admin("GET", `v2/users/${userId(side, `newcomer${n}`)}`);
          return { name: body.name, shadow_banned: body.shadow_banned, errcode: body.errcode };
        };
        return { answers: [answer], effect };
      },
    },
    {
      title: "a registration by the shared secret",
      async act(side, _prepared, n) {
        const answer = await registerBySecret(side.server, `secret${n}`, { displayname: "S" });
        const effect = async () =>
          (await side.admin.admin("GET", `v2/users/${userId(side, `secret${n}`)}`)).body.shadow_banned;
        return { answers: [answer], effect };
      },
    },
  ],
  check_media_file_for_spam: [
    {
      title: "an upload",
      async act({ alice, bob }, _prepared, n) {
        const answer = await alice.upload(`content of file ${n} ☃`);
        const uri = answer.body.content_uri;
        const effect = async () => (uri ? shown(await bob.download(uri)) : "none");
        return { answers: [answer], effect };
      },
    },
    {
      title: "an image and its thumbnails",
      only: fewAnswers,
      async act({ alice, bob }) {
        const answer = await alice.upload(pngOfSize(400, 300), "image/png", "image.png");
        const uri = answer.body.content_uri;
        const effect = async () => (uri ? (await bob.download(uri)).status : "none");
        return { answers: [answer], effect };
      },
    },
  ],
  check_login_for_spam: [
    {
      title: "a login",
      async act(side, _prepared, n) {
        const more = { device_id: `DEVICE${n}`, initial_device_display_name: "A device" };
        const answer = await anonymous(side).login("bob", password, more);
        const effect = async () => {
          const devices = (await side.bob.get("/_matrix/client/v3/devices")).body.devices;
          const known = devices.some((device: { device_id: string }) => device.device_id === `DEVICE${n}`);
          return { known, whoami: (await signedIn(side.server, answer.body).whoami()).status };
        };
        return { answers: [answer], effect };
      },
    },
  ],
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
  check_can_deactivate_user: [
    deactivation("a deactivation by an admin", "admin"),
    deactivation("a user's own deactivation", "user"),
  ],
  on_profile_update: [
    {
      title: "a new display name",
      prepare: (side, n) => side.user(`named${n}`),
      async act(side, user: Client) {
        const answer = await user.setProfile("displayname", "New Name");
        return { answers: [answer], effect: async () => (await side.alice.profile(user.userId)).body };
      },
    },
    {
      title: "a new display name that goes on to the user's room",
      only: ["what passes"],
      async prepare(side, n) {
        const user = await side.user(`named${n}`);
        await user.join(side.room);
        return user;
      },
      async act(side, user: Client) {
        const answer = await user.setProfile("displayname", "New Name");
        const arrived = async () => {
          const { body } = await side.alice.getState(side.room, "m.room.member", user.userId);
          return body.displayname === "New Name" || undefined;
        };
        await waitFor("the new name in the room", arrived);
        return { answers: [answer] };
      },
    },
    {
      title: "a profile that an admin changes",
      prepare: (side, n) => side.user(`renamed${n}`),
      async act(side, user: Client) {
        const changes = { displayname: "Renamed", avatar_url: "mxc://example.org/avatar" };
        const answer = await side.admin.admin("PUT", `v2/users/${user.userId}`, changes);
        return { answers: [answer], effect: async () => (await user.profile()).body };
      },
    },
    deactivation("an erasure", "admin", { erase: true }),
  ],
  on_user_deactivation_status_changed: [
    deactivation("a deactivation by an admin", "admin"),
    deactivation("a user's own deactivation", "user"),
    {
      title: "a reactivation",
      only: ["what passes"],
      async prepare(side, n) {
        const user = await side.user(`back${n}`);
        await side.admin.admin("POST", `v1/deactivate/${user.userId}`, {});
        return user;
      },
      async act(side, user: Client) {
        const path = `v2/users/${user.userId}`;
        const answer = await side.admin.admin("PUT", path, { deactivated: false, password });
        const effect = async () => (await side.admin.admin("GET", path)).body.deactivated;
        return { answers: [answer], effect };
      },
    },
  ],
  on_threepid_bind: [threepids("an email address that is added", [], ["A@Example.org"])],
  on_add_user_third_party_identifier: [threepids("an email address that is added", [], ["A@Example.org"])],
  on_remove_user_third_party_identifier: [
    threepids("an email address that is removed", ["a@example.org", "b@example.org"], ["b@example.org"]),
  ],
};

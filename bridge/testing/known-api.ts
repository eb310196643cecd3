// Answers the calls of the api that a test's users and rooms determine, as Synapse's ModuleApi would.

import { SynapseError } from "../sdk/errors.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import { timeOf } from "./clock.js";
import { newEventId } from "./event.js";
import type { UserOption } from "./options.js";
import { Room, type World } from "./world.js";

// The host has checked them by schemas/api.json.
// biome-ignore lint/suspicious/noExplicitAny: each method has parameters of its own
type Params = any;
type Answer = (params: Params, world: World) => unknown;

// For an account that a test says nothing about: 2020-01-01, so that it is no new one.
const LONG_AGO = 1_577_836_800_000;

const userOf = (world: World, user_id: string): UserOption | undefined => world.users.get(user_id);
const roomState = (world: World, room_id: string, keys: readonly StateKey[] | null): Event[] =>
  world.rooms.get(room_id)?.get(keys) ?? [];

const reads: Record<string, Answer> = {
  get_userinfo_by_id({ user_id }, world) {
    const user = userOf(world, user_id);
    if (!user) return null;
    return {
      user_id,
      appservice_id: user.appservice_id ?? null,
      ...{ consent_server_notice_sent: null, consent_version: null, consent_ts: null },
      user_type: user.user_type ?? null,
      creation_ts: Math.floor(timeOf(user.created ?? LONG_AGO, "created") / 1000),
      is_admin: user.admin ?? false,
      is_deactivated: user.deactivated ?? false,
      is_guest: user.guest ?? false,
      is_shadow_banned: user.shadow_banned ?? false,
      ...{ approved: true, locked: false, suspended: false },
    };
  },
  is_user_admin: ({ user_id }, world) => userOf(world, user_id)?.admin ?? false,
  check_user_exists: ({ user_id }, world) => {
    const lower = String(user_id).toLowerCase();
    const ids = [...world.users.keys()];
    return ids.find((id) => id === user_id) ?? ids.find((id) => id.toLowerCase() === lower) ?? null;
  },
  get_profile_for_user: ({ localpart }, world) => {
    const user = userOf(world, `@${localpart}:${world.server_name}`);
    return { display_name: user?.display_name ?? null, avatar_url: user?.avatar_url ?? null };
  },
  get_threepids_for_user: ({ user_id }, world) => userOf(world, user_id)?.threepids ?? [],
  "account_data_manager.get_global": ({ user_id, data_type }, world) =>
    userOf(world, user_id)?.account_data?.[data_type] ?? null,
  get_room_state: ({ room_id, event_filter = null }, world) => roomState(world, room_id, event_filter),
  get_state_events_in_room: ({ room_id, types }, world) => roomState(world, room_id, types),
  get_canonical_room_alias: ({ room_id }, world) =>
    roomState(world, room_id, [["m.room.canonical_alias", ""]])[0]?.content.alias ?? null,
  "public_room_list_manager.room_is_in_public_room_list": ({ room_id }, world) =>
    world.rooms.get(room_id)?.public ?? false,
  lookup_room_alias({ room_alias }, world) {
    const fits = (room: Room) =>
      room.aliases.includes(room_alias) ||
      room.get([["m.room.canonical_alias", ""]]).some(({ content }) => content.alias === room_alias);
    const found = [...world.rooms.values()].find(fits);
    if (!found) throw new SynapseError(404, `Room alias ${room_alias} not found`, "M_NOT_FOUND");
    return [found.room_id, [world.server_name]];
  },
  check_username({ username }, world) {
    const user_id = `@${username}:${world.server_name}`;
    if (!/^[a-z0-9._=/+-]+$/.test(username))
      throw new SynapseError(
        400,
        "User ID can only contain characters a-z, 0-9, or '=_-./+'",
        "M_INVALID_USERNAME",
      );
    if (world.users.has(user_id)) throw new SynapseError(400, "User ID already taken.", "M_USER_IN_USE");
    return null;
  },
};

/** Changes a user of the test. */
function change(world: World, user_id: string, by: UserOption): void {
  world.users.set(user_id, { ...world.users.get(user_id), ...by });
}

/** Sends an event into a room of the test, which has it as state if it is state. */
function send(world: World, event: Record<string, unknown>): Event {
  const room_id = String(event.room_id);
  const room = world.rooms.get(room_id) ?? world.room(room_id, {});
  const whole = room.whole(event, world.clock.now()) as unknown as Event;
  if (whole.state_key !== undefined) room.put(whole);
  return whole;
}

/** Writes whose effect the test sees in what the api answers later. All others with no result have none. */
const writes: Record<string, Answer> = {
  "account_data_manager.put_global": ({ user_id, data_type, new_data }, world) => {
    const account_data = { ...userOf(world, user_id)?.account_data, [data_type]: new_data };
    change(world, user_id, { account_data });
    return null;
  },
  create_and_send_event_into_room: ({ event_dict }, world) => send(world, event_dict),
  update_room_membership({ sender, target, room_id, new_membership, content = {} }, world) {
    const membership = { ...(content as object), membership: new_membership };
    const member = { type: "m.room.member", state_key: target, sender, room_id, content: membership };
    return send(world, member);
  },
  register_user({ localpart, displayname = null, admin = false, emails = null }, world) {
    const user_id = `@${localpart}:${world.server_name}`;
    if (world.users.has(user_id)) throw new SynapseError(400, "User ID already taken.", "M_USER_IN_USE");
    const threepids = ((emails ?? []) as string[]).map((address) => ({ medium: "email", address }));
    world.users.set(user_id, {
      ...{ display_name: displayname ?? localpart, admin, threepids },
      created: world.clock.now(),
    });
    return user_id;
  },
  register_device({ device_id = null }) {
    return [device_id ?? "DEVICE", `syt_test_${newEventId("4", "").slice(1, 12)}`, null, null];
  },
  create_login_token: () => `syl_test_${newEventId("4", "").slice(1, 12)}`,
  set_user_admin: ({ user_id, admin }, world) => {
    change(world, user_id, { admin });
    return null;
  },
  set_displayname: ({ user_id, new_displayname }, world) => {
    change(world, user_id, { display_name: new_displayname });
    return null;
  },
  create_room({ user_id, config }, world) {
    const { room_alias_name, room_version, name, topic } = config as Record<string, string | undefined>;
    const room_id = `!${newEventId("12", "").slice(1)}`;
    const alias = room_alias_name === undefined ? null : `#${room_alias_name}:${world.server_name}`;
    const version = room_version === undefined ? {} : { room_version };
    const room = new Room(
      room_id,
      {
        aliases: alias === null ? [] : [alias],
        state: [
          { type: "m.room.create", sender: user_id, content: { ...version } },
          { type: "m.room.member", sender: user_id, state_key: user_id, content: { membership: "join" } },
          ...(name === undefined ? [] : [{ type: "m.room.name", sender: user_id, content: { name } }]),
          ...(topic === undefined ? [] : [{ type: "m.room.topic", sender: user_id, content: { topic } }]),
        ],
      },
      world.clock.now(),
      world.catalogue,
    );
    world.rooms.set(room_id, room);
    return [room_id, alias];
  },
};

export const knownApi: ReadonlyMap<string, Answer> = new Map(Object.entries({ ...reads, ...writes }));

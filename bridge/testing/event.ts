// Builds events of the common types, as a room of a given version has them: `event.message("@a:example.org", "hello")`.

import { createHash } from "node:crypto";
import type { Event } from "../sdk/wire-types.js";

/**
 * Fields of an event that a test writes itself.
 * @example
 * ```ts fragment testing
 * const fields: EventFields = { room_id: "!r:example.org", content: { reason: "spam" } };
 * ```
 */
export interface EventFields {
  readonly event_id?: string;
  readonly room_id?: string;
  readonly room_version?: string;
  readonly type?: string;
  readonly sender?: string;
  readonly state_key?: string;
  readonly content?: object;
  readonly origin_server_ts?: number;
  readonly unsigned?: object;
  readonly redacts?: string;
  readonly depth?: number;
  readonly auth_events?: readonly unknown[];
  readonly prev_events?: readonly unknown[];
  readonly hashes?: object;
  readonly signatures?: object;
  readonly internal_metadata?: Partial<Event["internal_metadata"]>;
}

/** The version of a room whose state has no `m.room.create`. It is Synapse's default for new rooms (config/server.py). */
export const ROOM_VERSION = "12";
/** Who has made a room, and does what no other user is named for. */
const CREATOR = "@creator:example.org";
const ROOM = "!room:example.org";

/** In a built event: the fields that its test has not written. */
const OWN = Symbol.for("synapse-module-bridge.testing.own");

/** The event with only what the test itself has written, so that the rest can be filled in for its room. */
export function writtenFields(event: object): Record<string, unknown> {
  const own: ReadonlySet<string> = (event as { [OWN]?: ReadonlySet<string> })[OWN] ?? new Set();
  return Object.fromEntries(Object.entries(event).filter(([key]) => !own.has(key)));
}

let built = 0;

/** Makes an id as Synapse would, from a hash. */
export function newEventId(room_version: string, sender: string): string {
  const hash = createHash("sha256").update(`event ${built++}`).digest();
  if (["1", "2"].includes(room_version)) {
    const server = sender.slice(sender.indexOf(":") + 1);
    return `$${hash.toString("hex").slice(0, 18)}:${server}`;
  }
  return `$${hash.toString(room_version === "3" ? "base64" : "base64url").replace(/=+$/, "")}`;
}

/** Fills in what an event lacks, for its room. The order of the fields is that of Synapse's PDUs. */
export function wholeEvent(
  given: Record<string, unknown>,
  room: { room_id?: string | undefined; room_version?: string | undefined; now: number; depth?: number },
): Record<string, unknown> {
  const { type = "m.room.message", sender = CREATOR, content = {} } = given;
  const room_version = String(given.room_version ?? room.room_version ?? ROOM_VERSION);
  const event_id = given.event_id ?? newEventId(room_version, String(sender));
  const isFirst = type === "m.room.create";
  // From version 12 on, the id of a room is that of its first event.
  const first = isFirst && Number(room_version) >= 12 ? `!${String(event_id).slice(1)}` : undefined;
  const server = String(sender).slice(String(sender).indexOf(":") + 1);
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("base64").replace(/=+$/, "");
  const { internal_metadata } = given;
  const metadata = typeof internal_metadata === "object" ? internal_metadata : {};
  const event = {
    auth_events: [],
    prev_events: [],
    depth: isFirst ? 1 : (room.depth ?? 10),
    hashes: { sha256: hash },
    signatures: { [server]: { "ed25519:test": hash } },
    unsigned: {},
    origin_server_ts: room.now,
    ...{ type, sender, content, event_id, room_version },
    room_id: room.room_id ?? first ?? ROOM,
    ...given,
    internal_metadata:
      internal_metadata === undefined || typeof internal_metadata === "object"
        ? { outlier: false, ...metadata }
        : internal_metadata,
  };
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

function build(given: Record<string, unknown>): Event {
  const event = wholeEvent(given, { now: Date.now() });
  const own = new Set(Object.keys(event).filter((key) => given[key] === undefined));
  return Object.defineProperty(event, OWN, { value: own }) as unknown as Event;
}

type Written = EventFields | undefined;

/** The content of an event, to which `fields.content` adds. */
function withContent(content: object, fields: Written): object {
  return { ...content, ...fields?.content };
}

function stateEvent(
  type: string,
  state_key: string,
  content: object,
  fields?: EventFields,
  sender = CREATOR,
) {
  return build({ type, state_key, sender, ...fields, content: withContent(content, fields) });
}

function timelineEvent(type: string, sender: string, content: object, fields?: EventFields) {
  return build({ type, sender, ...fields, content: withContent(content, fields) });
}

const versionOf = (fields: Written): number => Number(fields?.room_version ?? ROOM_VERSION);

/** The content of power levels as Synapse writes them for a new room. */
function powerLevels(fields: Written): object {
  const creator: string = fields?.sender ?? CREATOR;
  const version = versionOf(fields);
  return {
    // From version 12 on, creators are above all levels, and may not be listed.
    users: version >= 12 ? {} : { [creator]: 100 },
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.canonical_alias": 50,
      "m.room.avatar": 50,
      "m.room.tombstone": version >= 12 ? 150 : 100,
      "m.room.server_acl": 100,
      "m.room.encryption": 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: 50,
    historical: 100,
  };
}

type Membership = "invite" | "join" | "knock" | "leave" | "ban";
type JoinRule = "public" | "invite" | "knock" | "private" | "restricted" | "knock_restricted";

/**
 * Builds events for tests. Each is whole: it has an id, a room, a time. The last argument has fields that are to be
 * otherwise, such as `room_id` or `room_version`. In `t.ask` and in `rooms`, an event takes its room's id and version, and the
 * kit's time, unless the test has written others.
 * @example
 * ```ts fragment testing
 * event.create({ room_version: "12" });
 * event.member("@a:example.org", "join");
 * event.member("@b:example.org", "invite", { sender: "@a:example.org" });
 * event.message("@a:example.org", "hello");
 * event.message("@a:example.org", { msgtype: "m.image", body: "cat.png", url: "mxc://example.org/cat" });
 * event.powerLevels({ users: { "@a:example.org": 100 } });
 * ```
 */
export const event = {
  /** The first event of a room. `room_version` says of which version; the content has what that version has. */
  create(fields?: EventFields): Event {
    const room_version = String(
      fields?.room_version ??
        (fields?.content as { room_version?: unknown } | undefined)?.room_version ??
        ROOM_VERSION,
    );
    const sender: string = fields?.sender ?? CREATOR;
    const creator = Number(room_version) < 11 ? { creator: sender } : {};
    const content = { ...creator, room_version };
    return stateEvent("m.room.create", "", content, { ...fields, room_version }, sender);
  },
  /** A membership. The sender is the user; of an invite or a ban, the room's creator. */
  member(user: string, membership: Membership, fields?: EventFields): Event {
    const own = membership === "invite" || membership === "ban" ? CREATOR : user;
    return stateEvent("m.room.member", user, { membership }, fields, own);
  },
  /** A message: a text, or the whole content. */
  message(sender: string, body: string | object, fields?: EventFields): Event {
    const content = typeof body === "string" ? { msgtype: "m.text", body } : body;
    return timelineEvent("m.room.message", sender, content, fields);
  },
  /** An encrypted message. */
  encrypted(sender: string, fields?: EventFields): Event {
    const content = {
      algorithm: "m.megolm.v1.aes-sha2",
      ciphertext: "AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg",
      session_id: "X3lUlvLELLYxeTx4yOVu6UDpasGEVO0Jbu+QFnm0cKQ",
      sender_key: "RF3s+E7RkTQTGF2d8Deol0FkQvgII2aJDf3/Jp5mxVU",
      device_id: "DEVICE",
    };
    return timelineEvent("m.room.encrypted", sender, content, fields);
  },
  /** A reaction to an event. */
  reaction(sender: string, event_id: string, key: string, fields?: EventFields): Event {
    const relation = { rel_type: "m.annotation", event_id, key };
    return timelineEvent("m.reaction", sender, { "m.relates_to": relation }, fields);
  },
  /** A redaction of an event. Up to version 10 `redacts` is a field of the event, then of its content. */
  redaction(sender: string, redacts: string, fields?: EventFields): Event {
    if (versionOf(fields) >= 11) return timelineEvent("m.room.redaction", sender, { redacts }, fields);
    return timelineEvent("m.room.redaction", sender, {}, { redacts, ...fields });
  },
  /** Power levels as of a new room, with these in place of some. */
  powerLevels(content?: object, fields?: EventFields): Event {
    return stateEvent("m.room.power_levels", "", { ...powerLevels(fields), ...content }, fields);
  },
  /** Who may join. The rooms of `restricted` are those whose members may. */
  joinRules(join_rule: JoinRule, rooms: readonly string[] = [], fields?: EventFields): Event {
    const allow = rooms.map((room_id) => ({ type: "m.room_membership", room_id }));
    const isRestricted = join_rule.endsWith("restricted");
    return stateEvent("m.room.join_rules", "", { join_rule, ...(isRestricted && { allow }) }, fields);
  },
  /** The name of the room. */
  name(name: string, fields?: EventFields): Event {
    return stateEvent("m.room.name", "", { name }, fields);
  },
  /** The topic of the room. */
  topic(topic: string, fields?: EventFields): Event {
    return stateEvent("m.room.topic", "", { topic }, fields);
  },
  /** The avatar of the room. */
  avatar(url: string, fields?: EventFields): Event {
    return stateEvent("m.room.avatar", "", { url }, fields);
  },
  /** The main alias of the room. */
  canonicalAlias(alias: string, fields?: EventFields): Event {
    return stateEvent("m.room.canonical_alias", "", { alias }, fields);
  },
  /** Who may read what was sent before. */
  historyVisibility(
    history_visibility: "invited" | "joined" | "shared" | "world_readable",
    fields?: EventFields,
  ): Event {
    return stateEvent("m.room.history_visibility", "", { history_visibility }, fields);
  },
  /** Whether guests may join. */
  guestAccess(guest_access: "can_join" | "forbidden", fields?: EventFields): Event {
    return stateEvent("m.room.guest_access", "", { guest_access }, fields);
  },
  /** That the room is encrypted. */
  encryption(fields?: EventFields): Event {
    return stateEvent("m.room.encryption", "", { algorithm: "m.megolm.v1.aes-sha2" }, fields);
  },
  /** Which servers may take part. */
  serverAcl(content: object = {}, fields?: EventFields): Event {
    return stateEvent(
      "m.room.server_acl",
      "",
      { allow: ["*"], deny: [], allow_ip_literals: false, ...content },
      fields,
    );
  },
  /** That another room replaces this one. */
  tombstone(replacement_room: string, fields?: EventFields): Event {
    const body = "This room has been replaced";
    return stateEvent("m.room.tombstone", "", { body, replacement_room }, fields);
  },
  /** The pinned events. */
  pinnedEvents(pinned: readonly string[], fields?: EventFields): Event {
    return stateEvent("m.room.pinned_events", "", { pinned }, fields);
  },
  /** A rule of a policy list, about `user`, `room` or `server`. */
  policyRule(
    kind: "user" | "room" | "server",
    entity: string,
    recommendation = "m.ban",
    fields?: EventFields,
  ): Event {
    const content = { entity, recommendation, reason: "spam" };
    return stateEvent(`m.policy.rule.${kind}`, `rule:${entity}`, content, fields);
  },
  /** Any other state event. */
  state(type: string, state_key: string, content: object, fields?: EventFields): Event {
    return stateEvent(type, state_key, content, fields);
  },
  /** Any other event that is no state. */
  of(type: string, sender: string, content: object, fields?: EventFields): Event {
    return timelineEvent(type, sender, content, fields);
  },
} as const;

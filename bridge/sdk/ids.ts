// Matrix ids: whether a string is one, by Synapse's own rules, and the type of an id that an author gives.
import { isIPv6 } from "node:net";
import { pythonInt } from "../base/python-int.js";
import type { EventId, RoomAlias, RoomId, UserId } from "./wire-types.js";

// TypeScript infers Given from the first branch, which is never taken.
/**
 * An id as an argument: an id of this kind, or any string. A literal or a template of another kind does not compile.
 * @example
 * ```ts fragment value
 * function block<Given extends string>(user_id: Id<Given, UserId>): void {}
 * const from_config: string = "@spammer:example.org";
 * block(from_config);
 * block("@spammer:example.org");
 * ```
 */
export type Id<Given extends string, Kind extends string> = Given extends never
  ? Given
  : string extends Given
    ? Given
    : Given extends Kind
      ? Given
      : Kind;

// synapse.util.stringutils: VALID_HOST_REGEX
const HOST = /^[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*$/;
// synapse.types: ROOM_ID_PATTERN_DOMAINLESS
const HASH = /^[A-Za-z0-9_-]{43}\n?$/;

/**
 * Whether a value is a full user id. Like Synapse's `UserID.is_valid`, it takes an empty localpart, and any characters in it.
 *
 * In Synapse: `synapse.types.UserID.is_valid`.
 * @example
 * ```ts fragment callbacks
 * on_new_event({ event }, { log }) {
 *   if (event.type === "m.room.member" && !isUserId(event.state_key)) log.warn("a membership of nobody");
 * },
 * ```
 */
export function isUserId(value: unknown): value is UserId {
  return isOfServer(value, "@");
}

/**
 * Whether a value is a room id: with a server, or the hash of room version 12 and later.
 *
 * In Synapse: `synapse.types.RoomID.is_valid`.
 * @example
 * ```ts fragment value
 * const rooms = ["!abc:example.org", "#lobby:example.org"].filter(isRoomId);
 * ```
 */
export function isRoomId(value: unknown): value is RoomId {
  if (typeof value === "string" && !value.includes(":")) return value[0] === "!" && HASH.test(value.slice(1));
  return isOfServer(value, "!");
}

/**
 * Whether a value is the id of an event: with a server, as in room versions 1 and 2, or a hash, as in the later ones.
 *
 * In Synapse: `synapse.types.EventID.is_valid`, which takes ids with a server alone.
 * @example
 * ```ts fragment handler
 * const { redacts } = event.content;
 * if (isEventId(redacts)) log.info({ redacts }, "a redaction");
 * ```
 */
export function isEventId(value: unknown): value is EventId {
  if (typeof value === "string" && !value.includes(":")) return /^\$[A-Za-z0-9+/_-]{43}$/.test(value);
  return isOfServer(value, "$");
}

/**
 * Whether a value is a room alias.
 *
 * In Synapse: `synapse.types.RoomAlias.is_valid`.
 * @example
 * ```ts fragment handler
 * const alias = event.content.alias;
 * if (isRoomAlias(alias)) log.info({ room: await api.lookup_room_alias({ room_alias: alias }) }, "an alias");
 * ```
 */
export function isRoomAlias(value: unknown): value is RoomAlias {
  return isOfServer(value, "#");
}

/** As `DomainSpecificString.is_valid`: the sigil, any localpart, a colon and the name of a server. */
function isOfServer(value: unknown, sigil: string): boolean {
  if (typeof value !== "string" || value[0] !== sigil) return false;
  const colon = value.indexOf(":");
  return colon > 0 && isServerName(value.slice(colon + 1));
}

/** As `parse_and_validate_server_name`, which takes as a port what `int()` takes. */
function isServerName(name: string): boolean {
  const colon = name.endsWith("]") ? -1 : name.lastIndexOf(":");
  const host = colon < 0 ? name : name.slice(0, colon);
  if (colon >= 0 && pythonInt(name.slice(colon + 1)) === undefined) return false;
  if (host.startsWith("[")) return host.endsWith("]") && !host.includes("%") && isIPv6(host.slice(1, -1));
  return HOST.test(host);
}

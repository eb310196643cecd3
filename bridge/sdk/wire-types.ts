// Generated from schemas/ by `npm run generate`: do not edit.
// The wire types: what travels as it is declared.
import type {
  Codes,
  NOT_SPAM,
} from "./codes.js";
import type {
  DatabaseParam,
  JsonInputObject,
  JsonObject,
  JsonValue,
} from "./json.js";

/**
 * A full user id, `@localpart:server`.
 * @example
 * ```ts fragment value
 * const userId: UserId = "@alice:example.org";
 * ```
 */
export type UserId = `@${string}:${string}`;

/**
 * A room id: `!opaque:server`, or `!hash` from room version 12 on.
 * @example
 * ```ts fragment value
 * const roomId: RoomId = "!abc:example.org";
 * ```
 */
export type RoomId = `!${string}`;

/**
 * A room alias, `#localpart:server`.
 *
 * In Synapse: `synapse.types.RoomAlias`.
 * @example
 * ```ts fragment value
 * const roomAlias: RoomAlias = "#lobby:example.org";
 * ```
 */
export type RoomAlias = `#${string}:${string}`;

/**
 * The id of an event: `$hash`, or `$opaque:server` in room versions 1 and 2.
 * @example
 * ```ts fragment value
 * const eventId: EventId = "$abc";
 * ```
 */
export type EventId = `$${string}`;

/**
 * What a user is in a room.
 * @example
 * ```ts fragment value
 * const membership: Membership = "join";
 * ```
 */
export type Membership = "invite" | "join" | "knock" | "leave" | "ban";

/**
 * The id of a user's device.
 * @example
 * ```ts fragment value
 * const deviceId: DeviceId = "QBUAZIFURK";
 * ```
 */
export type DeviceId = string;

/**
 * The name of a homeserver, with its port if it has one.
 * @example
 * ```ts fragment value
 * const serverName: ServerName = "example.org:8448";
 * ```
 */
export type ServerName = string;

/**
 * The kind of a third-party identifier: `email` or `msisdn` (a phone number).
 * @example
 * ```ts fragment value
 * const medium: Medium = "email";
 * ```
 */
export type Medium = string;

/**
 * A time or a duration in milliseconds.
 * @example
 * ```ts fragment value
 * const milliseconds: Milliseconds = 60_000;
 * ```
 */
export type Milliseconds = number;

/**
 * Whether a room is in the public room directory.
 * @example
 * ```ts fragment value
 * const visibility: Visibility = "public";
 * ```
 */
export type Visibility = "public" | "private";

/**
 * What this server knows about an event beyond its PDU. An attribute that Synapse has not set is absent.
 *
 * In Synapse: `synapse.events.EventInternalMetadata`.
 * @example
 * ```ts fragment value
 * const eventInternalMetadata: EventInternalMetadata = { outlier: false, stream_ordering: 4711 };
 * ```
 */
export interface EventInternalMetadata {
  /** The event's position in this server's stream; null until it is stored. */
  readonly stream_ordering?: number | null;
  /** The worker that has stored the event; null until it is stored. */
  readonly instance_name?: string | null;
  /** The id of the event that redacts it, if any. */
  readonly redacted_by?: string | null;
  /** Whether this server does not know the room's state at this event. */
  readonly outlier: boolean;
  /** Whether the room's policy server considers it spam. */
  readonly policy_server_spammy?: boolean;
  /** Whether a spam checker callback has refused it. */
  readonly spam_checker_spammy?: boolean;
  /** Whether it is a membership of a room that this server is not fully in, such as an invite. */
  readonly out_of_band_membership?: boolean;
  /** The server that the event is sent for. */
  readonly send_on_behalf_of?: string;
  /** Whether the redaction still has to be checked against the event that it redacts. */
  readonly recheck_redaction?: boolean;
  /** Whether the event is soft-failed: stored, but not shown to clients. */
  readonly soft_failed?: boolean;
  /** Whether to send it to other servers. */
  readonly proactively_send?: boolean;
  /** Whether the event is redacted. */
  readonly redacted?: boolean;
  /** The sender's transaction id: private to the sender. */
  readonly txn_id?: string;
  /** The id of the delayed event that it was. */
  readonly delay_id?: string;
  /** The sender's access token id: private to the sender. */
  readonly token_id?: number;
  /** The sender's device id: private to the sender. */
  readonly device_id?: string;
}

/**
 * An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`.
 * `room_id` is there even if the PDU lacks it. A number above 2^53 is rounded to the nearest JavaScript
 * number.
 *
 * In Synapse: `synapse.events.EventBase`.
 * @example
 * ```ts fragment value
 * const event: Event = {
 *   event_id: "$abc",
 *   room_id: "!abc:example.org",
 *   room_version: "12",
 *   type: "m.room.message",
 *   sender: "@alice:example.org",
 *   content: { msgtype: "m.text", body: "Hello" },
 *   internal_metadata: { outlier: false },
 * };
 * ```
 */
export interface Event {
  /** The event's id, such as `$abc`. */
  readonly event_id: EventId;
  /** The room's id. */
  readonly room_id: RoomId;
  /** The identifier of the room's version, for example `12`. */
  readonly room_version: string;
  /** The type, such as `m.room.message`. */
  readonly type: string;
  /** The user id of the sender. */
  readonly sender: UserId;
  /** Absent on events that are not state. */
  readonly state_key?: string;
  readonly content: JsonObject;
  /** Milliseconds since the epoch, as the sender's server says. */
  readonly origin_server_ts?: number;
  /** What the signatures do not cover. */
  readonly unsigned?: JsonObject;
  /** Of a redaction: the id of the event that it redacts. Room version 11 and later have it in `content`. */
  readonly redacts?: string;
  /** The depth in the room's graph of events. */
  readonly depth?: number;
  /** The ids of the events that allow this one. */
  readonly auth_events?: readonly JsonValue[];
  /** The ids of the events before this one. */
  readonly prev_events?: readonly JsonValue[];
  /** The hash of the content, by algorithm. */
  readonly hashes?: JsonObject;
  /** The signatures, by server and key. */
  readonly signatures?: JsonObject;
  readonly internal_metadata: EventInternalMetadata;
  /**
   * Fields that Matrix does not define. Their names have a dot, so that a misspelt one of the others is an
   * error.
   */
  readonly [key: `${string}.${string}`]: JsonValue | undefined;
}

/**
 * Who makes a request, and how they are authenticated.
 *
 * In Synapse: `synapse.types.Requester`.
 * @example
 * ```ts fragment value
 * const requester: Requester = {
 *   user_id: "@alice:example.org",
 *   access_token_id: 7,
 *   is_guest: false,
 *   scope: [],
 *   shadow_banned: false,
 *   device_id: "QBUAZIFURK",
 *   app_service_id: null,
 *   authenticated_entity: "@alice:example.org",
 * };
 * ```
 */
export interface Requester {
  /** The user who makes the request. */
  readonly user_id: UserId;
  /** The id of the access token; null for guests, application services, and tokens that an admin has made. */
  readonly access_token_id: number | null;
  /** Whether the user is a guest. */
  readonly is_guest: boolean;
  /** The OAuth scopes of the access token. */
  readonly scope: readonly string[];
  /** Whether the user is shadow-banned. */
  readonly shadow_banned: boolean;
  /** The device of the access token; null if it has none. */
  readonly device_id: string | null;
  /** The application service that acts for the user; null if none does. */
  readonly app_service_id: string | null;
  /** Who was authenticated: another user than `user_id` if an admin acts for the user. */
  readonly authenticated_entity: string;
}

/**
 * A user as the user directory shows them.
 *
 * In Synapse: `synapse.types.UserProfile`.
 * @example
 * ```ts fragment value
 * const userProfile: UserProfile = { user_id: "@alice:example.org", display_name: "Alice", avatar_url: null };
 * ```
 */
export interface UserProfile {
  readonly user_id: UserId;
  /** The display name; null if there is none. */
  readonly display_name: string | null;
  /** The avatar as an `mxc://` URL; null if there is none. */
  readonly avatar_url: string | null;
}

/**
 * A user's profile.
 *
 * In Synapse: `synapse.storage.roommember.ProfileInfo`.
 * @example
 * ```ts fragment value
 * const profileInfo: ProfileInfo = { display_name: "Alice", avatar_url: "mxc://example.org/abc" };
 * ```
 */
export interface ProfileInfo {
  /** The avatar as an `mxc://` URL; null if there is none. */
  readonly avatar_url: string | null;
  /** The display name; null if there is none. */
  readonly display_name: string | null;
}

/**
 * An account of this server. `creation_ts` is in seconds.
 *
 * In Synapse: `synapse.types.UserInfo`.
 * @example
 * ```ts fragment value
 * const userInfo: UserInfo = {
 *   user_id: "@alice:example.org",
 *   appservice_id: null,
 *   consent_server_notice_sent: null,
 *   consent_version: null,
 *   consent_ts: null,
 *   user_type: null,
 *   creation_ts: 1_700_000_000,
 *   is_admin: false,
 *   is_deactivated: false,
 *   is_guest: false,
 *   is_shadow_banned: false,
 * };
 * ```
 */
export interface UserInfo {
  readonly user_id: UserId;
  /** The application service that has created the user; null if none has. */
  readonly appservice_id: string | null;
  /** The version of the policy documents that the user was asked to accept; null if none. */
  readonly consent_server_notice_sent: string | null;
  /** The version of the policy documents that the user has accepted; null if none. */
  readonly consent_version: string | null;
  /** When the user has accepted them, in milliseconds; null if not. */
  readonly consent_ts: number | null;
  /** `bot`, `support`, or null for an ordinary user. */
  readonly user_type: string | null;
  /** When the account was created, in seconds. */
  readonly creation_ts: number;
  /** Whether the user is a server admin. */
  readonly is_admin: boolean;
  /** Whether the account is deactivated. */
  readonly is_deactivated: boolean;
  /** Whether it is a guest's account. */
  readonly is_guest: boolean;
  /** Whether the user is shadow-banned. */
  readonly is_shadow_banned: boolean;
  /** Whether an admin has approved the account, if Synapse requires that. */
  readonly approved?: boolean;
  /** Whether the account is locked. */
  readonly locked?: boolean;
  /** Whether the account is suspended. */
  readonly suspended?: boolean;
}

/**
 * A third-party identifier, such as an email address. Times are in milliseconds.
 *
 * In Synapse: `synapse.storage.databases.main.registration.ThreepidResult`.
 * @example
 * ```ts fragment value
 * const threepid: Threepid = { medium: "email", address: "alice@example.org", validated_at: 1_700_000_000_000 };
 * ```
 */
export interface Threepid {
  readonly medium: Medium;
  /** The email address, or the phone number without `+`. */
  readonly address: string;
  /** When it was validated, in milliseconds. */
  readonly validated_at?: number;
  /** When it was added to the account, in milliseconds. */
  readonly added_at?: number;
}

/**
 * The requests that led to this call, each as [user agent, IP address].
 * @example
 * ```ts fragment value
 * const requestInfo: RequestInfo = [["Mozilla/5.0", "203.0.113.7"]];
 * ```
 */
export type RequestInfo = readonly (readonly [string | null, string | null])[];

/**
 * The size and format of a thumbnail.
 *
 * In Synapse: `synapse.media._base.ThumbnailInfo`.
 * @example
 * ```ts fragment value
 * const thumbnailInfo: ThumbnailInfo = { width: 96, height: 96, method: "crop", type: "image/png" };
 * ```
 */
export interface ThumbnailInfo {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** `crop` or `scale`. */
  readonly method: string;
  /** The MIME type, such as `image/png`. */
  readonly type: string;
  /** The size in bytes; null if it is not known yet. */
  readonly length?: number | null;
}

/**
 * What Synapse knows about a media file. `server_name` is null for a local file.
 *
 * In Synapse: `synapse.media._base.FileInfo`.
 * @example
 * ```ts fragment value
 * const fileInfo: FileInfo = { server_name: null, file_id: "abc", url_cache: false, thumbnail: null };
 * ```
 */
export interface FileInfo {
  /** The server that the file comes from; null for a local file. */
  readonly server_name: string | null;
  /** The id on this server: of a local file, its media id. */
  readonly file_id: string;
  /** Whether it is for a URL preview. */
  readonly url_cache: boolean;
  /** What thumbnail it is; null if it is the file itself. */
  readonly thumbnail: ThumbnailInfo | null;
}

/**
 * How many bytes a user may upload in a period. `info_uri` and `can_upgrade` go into the error that the
 * client gets; older versions of Synapse ignore them.
 *
 * In Synapse: `synapse.config.repository.MediaUploadLimit`.
 * @example
 * ```ts fragment value
 * const mediaUploadLimit: MediaUploadLimit = { max_bytes: 10_000_000, time_period_ms: 86_400_000 };
 * ```
 */
export interface MediaUploadLimit {
  /** How many bytes may be uploaded within the period. */
  readonly max_bytes: number;
  /** The period in milliseconds. */
  readonly time_period_ms: number;
  /** A page that explains the limit; null for Synapse's own. */
  readonly info_uri?: string | null;
  /** Whether the user can get a higher limit. */
  readonly can_upgrade?: boolean;
}

/**
 * A user's presence. Times are in milliseconds.
 *
 * In Synapse: `synapse.api.presence.UserPresenceState`.
 * @example
 * ```ts fragment value
 * const userPresenceState: UserPresenceState = {
 *   user_id: "@alice:example.org",
 *   state: "online",
 *   last_active_ts: 1_700_000_000_000,
 *   last_federation_update_ts: 0,
 *   last_user_sync_ts: 1_700_000_000_000,
 *   status_msg: "at work",
 *   currently_active: true,
 * };
 * ```
 */
export interface UserPresenceState {
  readonly user_id: UserId;
  /** `online`, `unavailable`, `busy` or `offline`. */
  readonly state: string;
  /** When the user was last active, in milliseconds. */
  readonly last_active_ts: number;
  /** When other servers were last told, or have last told about the user, in milliseconds. */
  readonly last_federation_update_ts: number;
  /** When the user's last sync was completed, in milliseconds. */
  readonly last_user_sync_ts: number;
  /** The status message; null if there is none. */
  readonly status_msg: string | null;
  /** Whether the user is active now. */
  readonly currently_active: boolean;
}

/** A list of presences. */
export type UserPresenceStates = readonly UserPresenceState[];

/**
 * The ids of events that another server has received from this one; there may be many thousands. `method`
 * says how: `/send` if the other server acknowledged them, else the endpoint that it fetched them from. Newer
 * versions of Synapse may have more methods.
 *
 * In Synapse: `synapse.module_api.callbacks.federation.FederationEventDeliveryEvent`.
 * @example
 * ```ts fragment value
 * const federationEventDeliveryEvent: FederationEventDeliveryEvent = { server_name: "matrix.org", event_ids: ["$abc"], method: "/send" };
 * ```
 */
export interface FederationEventDeliveryEvent {
  /** The server that has received the events. */
  readonly server_name: ServerName;
  /** The ids of the events. */
  readonly event_ids: readonly EventId[];
  /** `/send`, or the endpoint that the server has fetched them from. */
  readonly method: string;
}

/** A list of events. */
export type Events = readonly Event[];

/** A list of third-party identifiers. */
export type Threepids = readonly Threepid[];

/**
 * A list of [type, state_key]. A `state_key` of null stands for all state keys of that type.
 * @example
 * ```ts fragment value
 * const stateFilter: StateFilter = [["m.room.name", ""], ["m.room.member", null]];
 * ```
 */
export type StateFilter = readonly StateKey[];

/**
 * [type, state_key]. Null stands for all state keys.
 * @example
 * ```ts fragment value
 * const stateKey: StateKey = ["m.room.member", "@alice:example.org"];
 * ```
 */
export type StateKey = readonly [type: string, state_key: string | null];

/**
 * A list of server names.
 * @example
 * ```ts fragment value
 * const serverNames: ServerNames = ["example.org", "matrix.org"];
 * ```
 */
export type ServerNames = readonly string[];

/**
 * [room id, servers that know the room].
 * @example
 * ```ts fragment value
 * const roomAliasLookup: RoomAliasLookup = ["!abc:example.org", ["example.org"]];
 * ```
 */
export type RoomAliasLookup = readonly [RoomId, ServerNames];

/**
 * [room id, room alias or null].
 * @example
 * ```ts fragment value
 * const createdRoom: CreatedRoom = ["!abc:example.org", "#lobby:example.org"];
 * ```
 */
export type CreatedRoom = readonly [room_id: RoomId, room_alias: RoomAlias | null];

/** A list of strings. */
export type Texts = readonly string[];

/** A list of user ids. */
export type UserIds = readonly UserId[];

/**
 * An address and a user agent of a user. `last_seen` is in milliseconds.
 *
 * In Synapse: `synapse.module_api.UserIpAndAgent`.
 * @example
 * ```ts fragment value
 * const userIpAndAgent: UserIpAndAgent = { ip: "203.0.113.7", user_agent: "Mozilla/5.0", last_seen: 1_700_000_000_000 };
 * ```
 */
export interface UserIpAndAgent {
  /** The IP address. */
  readonly ip: string;
  /** The `User-Agent` header. */
  readonly user_agent: string;
  /** In milliseconds. */
  readonly last_seen: number;
}

/** The addresses and user agents of a user. */
export type UserIpsAndAgents = readonly UserIpAndAgent[];

/**
 * A list of [application service or `native`, user id].
 * @example
 * ```ts fragment value
 * const serviceUsers: ServiceUsers = [["native", "@alice:example.org"]];
 * ```
 */
export type ServiceUsers = readonly (readonly [string, UserId])[];

/**
 * [user id, access token].
 * @example
 * ```ts fragment value
 * const userAndToken: UserAndToken = ["@alice:example.org", "syt_YWxpY2U_1"];
 * ```
 */
export type UserAndToken = readonly [user_id: UserId, access_token: string];

/**
 * [device id, access token, when the token expires in milliseconds or null, refresh token or null].
 * @example
 * ```ts fragment value
 * const deviceTokens: DeviceTokens = ["QBUAZIFURK", "syt_YWxpY2U_1", null, null];
 * ```
 */
export type DeviceTokens = readonly [DeviceId, string, number | null, string | null];

/**
 * For each device id, whether the notification reached it.
 * @example
 * ```ts fragment value
 * const deviceFlags: DeviceFlags = { QBUAZIFURK: true };
 * ```
 */
export interface DeviceFlags {
  readonly [k: string]: boolean;
}

/**
 * The actions of a push rule, as in the Matrix specification.
 * @example
 * ```ts fragment value
 * const pushActions: PushActions = ["notify", { set_tweak: "highlight" }];
 * ```
 */
export type PushActions = readonly (string | JsonInputObject)[];

/**
 * For each user id, [presence, status message or null].
 * @example
 * ```ts fragment value
 * const presenceUpdates: PresenceUpdates = { "@alice:example.org": ["online", "at work"] };
 * ```
 */
export interface PresenceUpdates {
  readonly [k: string]: readonly [state: "online" | "unavailable" | "busy" | "offline", status_msg: string | null];
}

/**
 * Headers by name, each with a list of values.
 * @example
 * ```ts fragment value
 * const httpHeaders: HttpHeaders = { "user-agent": ["my-module/1.0"] };
 * ```
 */
export interface HttpHeaders {
  readonly [k: string]: readonly string[];
}

/**
 * The fields of a query string or a form, each with one value or a list.
 * @example
 * ```ts fragment value
 * const queryArgs: QueryArgs = { page: "1", tag: ["a", "b"] };
 * ```
 */
export interface QueryArgs {
  readonly [k: string]: string | readonly string[];
}

/**
 * The answer of another server. Header names are in lower case.
 * @example
 * ```ts fragment value
 * const httpResponse: HttpResponse = { code: 204, phrase: "No Content", headers: {}, body: new Uint8Array() };
 * ```
 */
export interface HttpResponse {
  /** The status, such as 200. */
  readonly code: number;
  /** The reason phrase, such as `OK`. */
  readonly phrase: string;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}

/**
 * A code, and fields for the body of the error that the client gets.
 * @example
 * ```ts fragment value
 * const codeAndFields: CodeAndFields = [Codes.FORBIDDEN, { "org.example.limit": 10 }];
 * ```
 */
export type CodeAndFields = readonly [code: Codes, additional_fields: JsonInputObject];

/**
 * `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: false allows, true refuses,
 * and any other string refuses with that text.
 * @example
 * ```ts fragment value
 * const eventSpamVerdict: EventSpamVerdict = [Codes.FORBIDDEN, { "org.example.limit": 10 }];
 * ```
 */
export type EventSpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/**
 * `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: true allows, false and any
 * other string refuse.
 * @example
 * ```ts fragment value
 * const spamVerdict: SpamVerdict = Codes.FORBIDDEN;
 * ```
 */
export type SpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/**
 * `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: a boolean or any other string
 * refuses.
 * @example
 * ```ts fragment value
 * const loginVerdict: LoginVerdict = NOT_SPAM;
 * ```
 */
export type LoginVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/**
 * `NOT_SPAM` allows. A code refuses. At run time also: a boolean or any other string refuses.
 * @example
 * ```ts fragment value
 * const stateEventVerdict: StateEventVerdict = Codes.FORBIDDEN;
 * ```
 */
export type StateEventVerdict = typeof NOT_SPAM | Codes;

/**
 * `NOT_SPAM` allows. A code, or a code with fields, refuses: whatever the code, a client that uploads gets
 * 400 `M_UNKNOWN`. At run time also: false allows, true and any other string refuse.
 * @example
 * ```ts fragment value
 * const mediaVerdict: MediaVerdict = Codes.FORBIDDEN;
 * ```
 */
export type MediaVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/**
 * true hides the user from the search results, false shows them.
 * @example
 * ```ts fragment value
 * const hideVerdict: HideVerdict = true;
 * ```
 */
export type HideVerdict = boolean;

/**
 * true allows, false refuses.
 * @example
 * ```ts fragment value
 * const permission: Permission = false;
 * ```
 */
export type Permission = boolean;

/**
 * true if the account has expired, false if not, null for no opinion.
 * @example
 * ```ts fragment value
 * const expired: Expired = null;
 * ```
 */
export type Expired = boolean | null;

/**
 * [token valid, token stale, expiry in milliseconds]. The client gets a page that says so.
 * @example
 * ```ts fragment value
 * const renewalResult: RenewalResult = [true, false, 1_800_000_000_000];
 * ```
 */
export type RenewalResult = readonly [token_valid: boolean, token_stale: boolean, expiration_ts: number];

/**
 * A rate limit for this user, or null for no opinion. A `per_second` of 0 is an error: Synapse's
 * documentation says that it lifts the limit, but Synapse divides by it. To lift the limit, use large
 * numbers.
 *
 * In Synapse: `synapse.module_api.callbacks.ratelimit_callbacks.RatelimitOverride`.
 * @example
 * ```ts fragment value
 * const ratelimitOverride: RatelimitOverride = { per_second: 1000, burst_count: 1000 };
 * ```
 */
export type RatelimitOverride = {
  readonly per_second: number;
  readonly burst_count: number;
} | null;

/**
 * The whole body of the answer, or null or an empty object for Synapse's own.
 * @example
 * ```ts fragment value
 * const mediaConfig: MediaConfig = { "m.upload.size": 1_048_576 };
 * ```
 */
export type MediaConfig = JsonInputObject | null;

/**
 * true allows the upload, false refuses it.
 * @example
 * ```ts fragment value
 * const uploadPermission: UploadPermission = false;
 * ```
 */
export type UploadPermission = boolean;

/**
 * The user's upload limits (an empty list for none), or null for those of homeserver.yaml.
 * @example
 * ```ts fragment value
 * const mediaUploadLimits: MediaUploadLimits = [{ max_bytes: 10_000_000, time_period_ms: 86_400_000 }];
 * ```
 */
export type MediaUploadLimits = readonly MediaUploadLimit[] | null;

/**
 * For each user id, the presences to send to that user. Synapse merges the answers of all modules.
 * @example
 * ```ts fragment value
 * const presenceRoutes: PresenceRoutes = { "@desk:example.org": [] };
 * ```
 */
export interface PresenceRoutes {
  readonly [k: string]: UserPresenceStates;
}

/**
 * The users whose presence this user sees, besides those who share a room with them. Synapse merges the
 * answers of all modules. After `"ALL"` Synapse asks no other module here, and asks `get_users_for_states`
 * what this user is shown.
 * @example
 * ```ts fragment value
 * const interestedUsers: InterestedUsers = "ALL";
 * ```
 */
export type InterestedUsers = "ALL" | readonly string[];

/**
 * A function of a module that runs later, once.
 * @example
 * ```ts fragment value
 * const followUp: FollowUp = { module: "logins", id: "7" };
 * ```
 */
export interface FollowUp {
  readonly module: string;
  readonly id: string;
}

/**
 * true allows the identifier, false refuses it.
 * @example
 * ```ts fragment value
 * const threepidPermission: ThreepidPermission = false;
 * ```
 */
export type ThreepidPermission = boolean;

/**
 * The name to use, or null for no opinion.
 * @example
 * ```ts fragment value
 * const chosenName: ChosenName = "alice";
 * ```
 */
export type ChosenName = string | null;

/**
 * A number of rows, or null for Synapse's own.
 * @example
 * ```ts fragment value
 * const batchSize: BatchSize = 100;
 * ```
 */
export type BatchSize = number | null;

/**
 * Milliseconds, or a string as in homeserver.yaml: `10m`, `1h`, `7d`.
 * @example
 * ```ts fragment value
 * const duration: Duration = "10m";
 * ```
 */
export type Duration = number | string;

/**
 * One SQL statement, with a `?` for each parameter.
 * @example
 * ```ts fragment value
 * const databaseStatement: DatabaseStatement = { sql: "SELECT name FROM users WHERE creation_ts > ?", params: [1_700_000_000] };
 * ```
 */
export interface DatabaseStatement {
  /** The SQL, with a `?` for each parameter, also on PostgreSQL. */
  readonly sql: string;
  /** The values for the `?`s. */
  readonly params?: readonly DatabaseParam[];
  /** Runs the statement once for each, and gives no rows back. */
  readonly params_list?: readonly (readonly DatabaseParam[])[];
  /** Which rows to give back; `all` by default. */
  readonly fetch?: "all" | "one" | "none";
}

/** Statements, which run in order. */
export type DatabaseStatements = readonly DatabaseStatement[];

/**
 * A stored value.
 * @example
 * ```ts fragment value
 * const storeValue: StoreValue = { value: 1 };
 * ```
 */
export interface StoreValue {
  readonly value: JsonValue;
}

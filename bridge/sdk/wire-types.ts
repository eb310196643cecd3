// Generated from schemas/ by `npm run generate`: do not edit.
// The wire types: what travels as it is declared.
import type {
  Codes,
  NOT_SPAM,
} from "./codes.js";
import type {
  DatabaseParam,
  JsonObject,
  JsonValue,
} from "./json.js";

/** A full user id, `@localpart:server`. */
export type UserId = string;

/** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
export type RoomId = string;

/** A room alias, `#localpart:server`. On the wire: the string of Synapse's RoomAlias object. */
export type RoomAlias = string;

/** The id of a user's device. */
export type DeviceId = string;

/** The name of a homeserver, with its port if it has one. */
export type ServerName = string;

/** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
export type Medium = string;

/** A time or a duration in milliseconds. */
export type Milliseconds = number;

/** Whether a room is in the public room directory. */
export type Visibility = "public" | "private";

/** What this server knows about an event beyond its PDU. An attribute that Synapse has not set is absent. */
export interface EventInternalMetadata {
  readonly stream_ordering?: number | null;
  readonly instance_name?: string | null;
  readonly redacted_by?: string | null;
  readonly outlier: boolean;
  readonly policy_server_spammy?: boolean;
  readonly spam_checker_spammy?: boolean;
  readonly out_of_band_membership?: boolean;
  readonly send_on_behalf_of?: string;
  readonly recheck_redaction?: boolean;
  readonly soft_failed?: boolean;
  readonly proactively_send?: boolean;
  readonly redacted?: boolean;
  /** The sender's transaction id: private to the sender. */
  readonly txn_id?: string;
  readonly delay_id?: string;
  /** The sender's access token id: private to the sender. */
  readonly token_id?: number;
  /** The sender's device id: private to the sender. */
  readonly device_id?: string;
  readonly [key: string]: JsonValue | undefined;
}

/** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. `room_id` is there even if the PDU lacks it. A number above 2^53 is rounded to the nearest JavaScript number. */
export interface Event {
  readonly event_id: string;
  readonly room_id: string;
  /** The identifier of the room's version, for example `12`. */
  readonly room_version: string;
  readonly type: string;
  readonly sender: string;
  /** Absent on events that are not state. */
  readonly state_key?: string;
  readonly content: JsonObject;
  /** Milliseconds since the epoch, as the sender's server says. */
  readonly origin_server_ts?: number;
  readonly unsigned?: JsonObject;
  readonly redacts?: string;
  readonly depth?: number;
  readonly auth_events?: readonly JsonValue[];
  readonly prev_events?: readonly JsonValue[];
  readonly hashes?: JsonObject;
  readonly signatures?: JsonObject;
  readonly internal_metadata: EventInternalMetadata;
  readonly [key: string]: JsonValue | undefined;
}

/** Who makes a request, and how they are authenticated. */
export interface Requester {
  readonly user_id: UserId;
  readonly access_token_id: number | null;
  readonly is_guest: boolean;
  readonly scope: readonly string[];
  readonly shadow_banned: boolean;
  readonly device_id: string | null;
  readonly app_service_id: string | null;
  readonly authenticated_entity: string;
}

/** A user as the user directory shows them. */
export interface UserProfile {
  readonly user_id: UserId;
  readonly display_name: string | null;
  readonly avatar_url: string | null;
  readonly [key: string]: JsonValue | undefined;
}

/** A user's profile. */
export interface ProfileInfo {
  readonly avatar_url: string | null;
  readonly display_name: string | null;
}

/** An account of this server. `creation_ts` is in seconds. */
export interface UserInfo {
  readonly user_id: UserId;
  readonly appservice_id: string | null;
  readonly consent_server_notice_sent: string | null;
  readonly consent_version: string | null;
  readonly consent_ts: number | null;
  readonly user_type: string | null;
  readonly creation_ts: number;
  readonly is_admin: boolean;
  readonly is_deactivated: boolean;
  readonly is_guest: boolean;
  readonly is_shadow_banned: boolean;
  readonly approved?: boolean;
  readonly locked?: boolean;
  readonly suspended?: boolean;
  readonly [key: string]: JsonValue | undefined;
}

/** A third-party identifier, such as an email address. Times are in milliseconds. */
export interface Threepid {
  readonly medium: Medium;
  readonly address: string;
  readonly validated_at?: number;
  readonly added_at?: number;
  readonly [key: string]: JsonValue | undefined;
}

/** The requests that led to this call, each as [user agent, IP address]. */
export type RequestInfo = readonly (readonly [string | null, string | null])[];

/** The size and format of a thumbnail. */
export interface ThumbnailInfo {
  readonly width: number;
  readonly height: number;
  readonly method: string;
  readonly type: string;
  readonly length?: number | null;
}

/** What Synapse knows about a media file. `server_name` is null for a local file. */
export interface FileInfo {
  readonly server_name: string | null;
  readonly file_id: string;
  readonly url_cache: boolean;
  readonly thumbnail: ThumbnailInfo | null;
}

/** How many bytes a user may upload in a period. `info_uri` and `can_upgrade` go into the error that the client gets; older versions of Synapse ignore them. */
export interface MediaUploadLimit {
  readonly max_bytes: number;
  readonly time_period_ms: number;
  readonly info_uri?: string | null;
  readonly can_upgrade?: boolean;
}

/** A user's presence. Times are in milliseconds. */
export interface UserPresenceState {
  readonly user_id: UserId;
  readonly state: string;
  readonly last_active_ts: number;
  readonly last_federation_update_ts: number;
  readonly last_user_sync_ts: number;
  readonly status_msg: string | null;
  readonly currently_active: boolean;
}

/** A list of presences. */
export type UserPresenceStates = readonly UserPresenceState[];

/** The ids of events that another server has received from this one; there may be many thousands. `method` says how: `/send` if the other server acknowledged them, else the endpoint that it fetched them from. Newer versions of Synapse may have more methods. */
export interface FederationEventDeliveryEvent {
  readonly server_name: ServerName;
  readonly event_ids: readonly string[];
  readonly method: string;
}

/** A list of events. */
export type Events = readonly Event[];

/** A list of third-party identifiers. */
export type Threepids = readonly Threepid[];

/** A list of [type, state_key]. A `state_key` of null stands for all state keys of that type. */
export type StateFilter = readonly StateKey[];

/** [type, state_key]. Null stands for all state keys. */
export type StateKey = readonly [type: string, state_key: string | null];

/** A list of server names. */
export type ServerNames = readonly string[];

/** [room id, servers that know the room]. */
export type RoomAliasLookup = readonly [RoomId, ServerNames];

/** [room id, room alias or null]. */
export type CreatedRoom = readonly [RoomId, string | null];

/** A list of strings. */
export type Texts = readonly string[];

/** A list of user ids. */
export type UserIds = readonly UserId[];

/** An address and a user agent of a user. `last_seen` is in milliseconds. */
export interface UserIpAndAgent {
  readonly ip: string;
  readonly user_agent: string;
  readonly last_seen: number;
}

/** The addresses and user agents of a user. */
export type UserIpsAndAgents = readonly UserIpAndAgent[];

/** A list of [application service or `native`, user id]. */
export type ServiceUsers = readonly (readonly [string, UserId])[];

/** [user id, access token]. */
export type UserAndToken = readonly [user_id: UserId, access_token: string];

/** [device id, access token, when the token expires in milliseconds or null, refresh token or null]. */
export type DeviceTokens = readonly [DeviceId, string, number | null, string | null];

/** For each device id, whether the notification reached it. */
export interface DeviceFlags {
  readonly [k: string]: boolean;
}

/** The actions of a push rule, as in the Matrix specification. */
export type PushActions = readonly (string | JsonObject)[];

/** For each user id, [presence, status message or null]. */
export interface PresenceUpdates {
  readonly [k: string]: readonly [state: "online" | "unavailable" | "busy" | "offline", status_msg: string | null];
}

/** Headers by name, each with a list of values. */
export interface HttpHeaders {
  readonly [k: string]: readonly string[];
}

/** The fields of a query string or a form, each with one value or a list. */
export interface QueryArgs {
  readonly [k: string]: string | readonly string[];
}

/** The answer of another server. Header names are in lower case. */
export interface HttpResponse {
  readonly code: number;
  readonly phrase: string;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}

/** A code, and fields for the body of the error that the client gets. */
export type CodeAndFields = readonly [code: Codes, additional_fields: JsonObject];

/** `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: false allows, true refuses, and any other string refuses with that text. */
export type EventSpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: true allows, false and any other string refuse. */
export type SpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also: a boolean or any other string refuses. */
export type LoginVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** `NOT_SPAM` allows. A code refuses. At run time also: a boolean or any other string refuses. */
export type StateEventVerdict = typeof NOT_SPAM | Codes;

/** `NOT_SPAM` allows. A code, or a code with fields, refuses: whatever the code, a client that uploads gets 400 `M_UNKNOWN`. At run time also: false allows, true and any other string refuse. */
export type MediaVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** true hides the user from the search results, false shows them. */
export type HideVerdict = boolean;

/** true allows, false refuses. */
export type Permission = boolean;

/** true if the account has expired, false if not, null for no opinion. */
export type Expired = boolean | null;

/** [token valid, token stale, expiry in milliseconds]. The client gets a page that says so. */
export type RenewalResult = readonly [token_valid: boolean, token_stale: boolean, expiration_ts: number];

/** A rate limit for this user, or null for no opinion. A `per_second` of 0 is an error: Synapse's documentation says that it lifts the limit, but Synapse divides by it. To lift the limit, use large numbers. */
export type RatelimitOverride = {
  readonly per_second: number;
  readonly burst_count: number;
} | null;

/** The whole body of the answer, or null or an empty object for Synapse's own. */
export type MediaConfig = JsonObject | null;

/** true allows the upload, false refuses it. */
export type UploadPermission = boolean;

/** The user's upload limits (an empty list for none), or null for those of homeserver.yaml. */
export type MediaUploadLimits = readonly MediaUploadLimit[] | null;

/** For each user id, the presences to send to that user. Synapse merges the answers of all modules. */
export interface PresenceRoutes {
  readonly [k: string]: UserPresenceStates;
}

/** The users whose presence this user sees, besides those who share a room with them. Synapse merges the answers of all modules. After `"ALL"` Synapse asks no other module here, and asks `get_users_for_states` what this user is shown. */
export type InterestedUsers = "ALL" | readonly UserId[];

/** A function of a module that runs later, once. On the wire: which one. */
export interface FollowUp {
  readonly module: string;
  readonly id: string;
}

/** true allows the identifier, false refuses it. */
export type ThreepidPermission = boolean;

/** The name to use, or null for no opinion. */
export type ChosenName = string | null;

/** A number of rows, or null for Synapse's own. */
export type BatchSize = number | null;

/** Fields to add. Synapse merges the answers of all modules; a later answer overwrites an earlier one. */
export type UnsignedFields = JsonObject;

/** Milliseconds, or a string as in homeserver.yaml: `10m`, `1h`, `7d`. */
export type Duration = number | string;

/** One SQL statement, with a `?` for each parameter. */
export interface DatabaseStatement {
  readonly sql: string;
  readonly params?: readonly DatabaseParam[];
  /** Runs the statement once for each, and gives no rows back. */
  readonly params_list?: readonly (readonly DatabaseParam[])[];
  /** Which rows to give back; `all` by default. */
  readonly fetch?: "all" | "one" | "none";
}

/** Statements, which run in order. */
export type DatabaseStatements = readonly DatabaseStatement[];

/** A stored value. */
export interface StoreValue {
  readonly value: JsonValue;
}

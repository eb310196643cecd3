// Generated from schemas/ by `npm run generate`: do not edit.
// The wire types, what each callback gets and may answer, and the ModuleApi.
import type { Codes, NOT_SPAM, RegistrationBehaviour } from "./codes.js";
import type { JsonObject, JsonValue, MutableJsonObject } from "./json.js";
import type {
  AfterLogin,
  AfterUpdate,
  EventReplacement,
  FileWrapper,
  StateEvents,
  Template,
} from "./objects.js";
import type {
  DatabaseParam,
  RunDbInteraction,
  StoreCompareAndSet,
  StoreDelete,
  StoreGet,
  StoreList,
  StoreSet,
  StoreUpdate,
} from "./storage-types.js";

/** A full Matrix user id, `@localpart:server`. */
export type UserId = string;

/** A room id, `!opaque:server` (`!hash` from room version 12 on). */
export type RoomId = string;

/** A room alias, `#localpart:server`. Synapse's RoomAlias object travels as its string. */
export type RoomAlias = string;

/** The id of a user's device. */
export type DeviceId = string;

/** A homeserver's name, with its port where it has one. */
export type ServerName = string;

/** The kind of a third-party identifier: `email` or `msisdn`. */
export type Medium = string;

/** A time or a duration in milliseconds. */
export type Milliseconds = number;

/** A room's visibility in the public room directory. */
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

/** An event: the fields of its PDU, plus event_id, room_id (also where the PDU lacks it), room_version and internal_metadata. Numbers above 2^53 are the nearest JavaScript number. */
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

/** Who makes a request, and with what. */
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

/** A user as the user directory finds them. */
export interface UserProfile {
  readonly user_id: UserId;
  readonly display_name: string | null;
  readonly avatar_url: string | null;
  readonly [key: string]: JsonValue | undefined;
}

/** A user's profile after a change. */
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

/** A third-party identifier, such as an email address. Times in milliseconds. */
export interface Threepid {
  readonly medium: Medium;
  readonly address: string;
  readonly validated_at?: number;
  readonly added_at?: number;
  readonly [key: string]: JsonValue | undefined;
}

/** The requests that led here, each as [user agent, IP address]. */
export type RequestInfo = readonly (readonly [string | null, string | null])[];

/** What a thumbnail looks like. */
export interface ThumbnailInfo {
  readonly width: number;
  readonly height: number;
  readonly method: string;
  readonly type: string;
  readonly length?: number | null;
}

/** What Synapse knows of a media file. `server_name` is null for a local one. */
export interface FileInfo {
  readonly server_name: string | null;
  readonly file_id: string;
  readonly url_cache: boolean;
  readonly thumbnail: ThumbnailInfo | null;
}

/** How much a user may upload in a time. `info_uri` and `can_upgrade` go into the error that clients get; an older Synapse ignores them. */
export interface MediaUploadLimit {
  readonly max_bytes: number;
  readonly time_period_ms: number;
  readonly info_uri?: string | null;
  readonly can_upgrade?: boolean;
}

/** A user's presence. Times in milliseconds. */
export interface UserPresenceState {
  readonly user_id: UserId;
  readonly state: string;
  readonly last_active_ts: number;
  readonly last_federation_update_ts: number;
  readonly last_user_sync_ts: number;
  readonly status_msg: string | null;
  readonly currently_active: boolean;
}

/** Several presences. */
export type UserPresenceStates = readonly UserPresenceState[];

/** Events that another server has received from us, by their ids alone (they may be many thousands). `method` is how: `/send`, where it has acknowledged them, or the endpoint where it fetched them; newer Synapses may have more. */
export interface FederationEventDeliveryEvent {
  readonly server_name: ServerName;
  readonly event_ids: readonly string[];
  readonly method: string;
}

/** A list of events. */
export type Events = readonly Event[];

/** A list of third-party identifiers. */
export type Threepids = readonly Threepid[];

/** Which state, as [type, state_key]; a state_key of null means all of that type. */
export type StateFilter = readonly StateKey[];

/** [type, state_key]; null for all state keys. */
export type StateKey = readonly [type: string, state_key: string | null];

/** A list of homeservers. */
export type ServerNames = readonly string[];

/** [room id, servers that know the room]. */
export type RoomAliasLookup = readonly [RoomId, ServerNames];

/** [room id, room alias or null]. */
export type CreatedRoom = readonly [RoomId, string | null];

/** A list of strings. */
export type Texts = readonly string[];

/** A list of users. */
export type UserIds = readonly UserId[];

/** From where a user was seen; `last_seen` is in milliseconds. */
export interface UserIpAndAgent {
  readonly ip: string;
  readonly user_agent: string;
  readonly last_seen: number;
}

/** From where a user was seen. */
export type UserIpsAndAgents = readonly UserIpAndAgent[];

/** A list of [application service or `native`, user id]. */
export type ServiceUsers = readonly (readonly [string, UserId])[];

/** [user id, access token]. */
export type UserAndToken = readonly [user_id: UserId, access_token: string];

/** [device id, access token, when the token expires in milliseconds or null, refresh token or null]. */
export type DeviceTokens = readonly [DeviceId, string, number | null, string | null];

/** For each device, whether it was reached. */
export interface DeviceFlags {
  readonly [k: string]: boolean;
}

/** The actions of a push rule, as the Matrix specification has them. */
export type PushActions = readonly (string | JsonObject)[];

/** For each user, [presence, status message or null]. */
export interface PresenceUpdates {
  readonly [k: string]: readonly [state: "online" | "unavailable" | "busy" | "offline", status_msg: string | null];
}

/** Headers by name, each with a list of values. */
export interface HttpHeaders {
  readonly [k: string]: readonly string[];
}

/** The fields of a query or a form, each with one value or a list. */
export interface QueryArgs {
  readonly [k: string]: string | readonly string[];
}

/** The answer of another server. Of headers, names are lower-case. */
export interface HttpResponse {
  readonly code: number;
  readonly phrase: string;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}

/** Templates, in the order of their names; `await template.render({ name: value })` gives a string. On the wire: their names. */
export type Templates = readonly Template[];

/** A code, and fields that are added to the body of the error that the client gets. */
export type CodeAndFields = readonly [code: Codes, additional_fields: JsonObject];

/** NOT_SPAM allows; a code, or a code with fields, refuses. At run time also: false allows, true refuses, any other string refuses with that text. */
export type EventSpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** NOT_SPAM allows; a code, or a code with fields, refuses. At run time also: true allows, false refuses, any other string refuses. */
export type SpamVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** NOT_SPAM allows; a code, or a code with fields, refuses. At run time also: a boolean or any other string refuses. */
export type LoginVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** NOT_SPAM allows; a code refuses. At run time also: a boolean or any other string refuses. */
export type StateEventVerdict = typeof NOT_SPAM | Codes;

/** NOT_SPAM allows; a code refuses (Synapse shows an uploading client 400 M_UNKNOWN whatever the code). At run time also: false allows, true and any other string refuse. */
export type MediaVerdict = typeof NOT_SPAM | Codes | CodeAndFields;

/** true hides the user from the search result, false shows them. */
export type HideVerdict = boolean;

/** true allows, false refuses, a replacement allows the event in its changed form; or Synapse's pair [allowed, replacement or null]. */
export type EventAllowedVerdict =
  boolean | EventReplacement | readonly [allowed: boolean, replacement: EventReplacement | null];

/** true allows, false refuses. */
export type Permission = boolean;

/** true if expired, false if not, null for no opinion. */
export type Expired = boolean | null;

/** [token valid, token stale, expiration time in milliseconds]: the client sees a page that says so. */
export type RenewalResult = readonly [token_valid: boolean, token_stale: boolean, expiration_ts: number];

/** A rate limit for this user, or null for no opinion. A per_second of 0 does not lift the limit, whatever Synapse's documentation says: Synapse divides by it, so that it does not fit here. To lift the limit give large numbers. */
export type RatelimitOverride = {
  readonly per_second: number;
  readonly burst_count: number;
} | null;

/** The whole body of the media config answer; null, or an empty object, for Synapse's own. */
export type MediaConfig = JsonObject | null;

/** true allows the upload, false refuses it. */
export type UploadPermission = boolean;

/** The user's upload limits (an empty list: none), or null for those of the configuration. */
export type MediaUploadLimits = readonly MediaUploadLimit[] | null;

/** For each user, the presences to send to them. Synapse merges the answers of all modules. */
export interface PresenceRoutes {
  readonly [k: string]: UserPresenceStates;
}

/** The users whose presence this user sees, besides those they share a room with; or `"ALL"`, after which Synapse asks nobody else here, and asks get_users_for_states what this user is shown. Synapse merges the answers of all modules. */
export type InterestedUsers = "ALL" | readonly UserId[];

/** A function of a module that is run later, once. On the wire: which. */
export interface FollowUp {
  readonly module: string;
  readonly id: string;
}

/** The full id of a user that exists, who has proved to be themselves; or [user id, function], which gets the response of the login and may edit it; or null for no opinion. */
export type Authenticated = string | null | readonly [user_id: string, callback: AfterLogin];

/** true allows the identifier, false refuses it. */
export type ThreepidPermission = boolean;

/** The name to use, or null for no opinion. */
export type ChosenName = string | null;

/** How long one iteration of a background update should take, in milliseconds; or [milliseconds, function], which is run after it; or null for Synapse's own duration and pause. */
export type UpdateDuration = number | null | readonly [milliseconds: number, done: AfterUpdate];

/** A number of rows, or null for Synapse's own. */
export type BatchSize = number | null;

/** Fields to add. The answers of all modules are merged, those of later ones over those of earlier ones. */
export type UnsignedFields = JsonObject;

/** Milliseconds, or a text as in homeserver.yaml: `10m`, `1h`, `7d`. */
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

/** Run in order. */
export type DatabaseStatements = readonly DatabaseStatement[];

/** A value that there is. */
export interface StoreValue {
  readonly value: JsonValue;
}

/** What each callback gets. */
export interface CallbackParams {
  /** An event was made by a local user, or came from another server. Not called for local memberships and for the first events of a room. */
  readonly check_event_for_spam: { readonly event: Event };
  /** An event came from another server and is about to be taken in. The answer must be stable for one event: Synapse asks again. */
  readonly should_drop_federated_event: { readonly event: Event };
  /** A local user joins a room, or changes their profile in it. */
  readonly user_may_join_room: { readonly user: UserId; readonly room: RoomId; readonly is_invited: boolean };
  /** A local user invites someone, or a remote invite has passed federated_user_may_invite. */
  readonly user_may_invite: { readonly inviter: UserId; readonly invitee: UserId; readonly room_id: RoomId };
  /** A user of another server invites a local user. */
  readonly federated_user_may_invite: { readonly event: Event };
  /** A local user invites a third-party identifier that belongs to no known user. */
  readonly user_may_send_3pid_invite: {
    readonly inviter: UserId;
    readonly medium: Medium;
    readonly address: string;
    readonly room_id: RoomId;
  };
  /** A local user creates or upgrades a room. */
  readonly user_may_create_room: { readonly user_id: UserId; readonly room_config: MutableJsonObject };
  /** A local user creates a room alias. */
  readonly user_may_create_room_alias: { readonly user_id: UserId; readonly room_alias: RoomAlias };
  /** A local user publishes a room in the directory, or removes it. */
  readonly user_may_publish_room: { readonly user_id: UserId; readonly room_id: RoomId };
  /** A local user sends a state event by its own request. */
  readonly user_may_send_state_event: {
    readonly user_id: UserId;
    readonly room_id: RoomId;
    readonly event_type: string;
    readonly state_key: string;
    readonly content: MutableJsonObject;
  };
  /** A user was found in a search of the user directory: once per result. */
  readonly check_username_for_spam: { readonly user_profile: UserProfile; readonly requester_id: UserId };
  /** Someone registers. */
  readonly check_registration_for_spam: {
    readonly email_threepid: Threepid | null;
    readonly username: string | null;
    readonly request_info: RequestInfo;
    readonly auth_provider_id: string | null;
  };
  /** A media file, or a thumbnail of it, was stored: uploaded, fetched from another server, or for a URL preview. */
  readonly check_media_file_for_spam: { readonly file_wrapper: FileWrapper; readonly file_info: FileInfo };
  /** A user has proved to be themselves and logs in. */
  readonly check_login_for_spam: {
    readonly user_id: UserId;
    readonly device_id: DeviceId | null;
    readonly initial_display_name: string | null;
    readonly request_info: RequestInfo;
    readonly auth_provider_id: string | null;
  };
  /** An event is built on this server: by a local user, or for a remote user who joins, leaves or knocks through us. Not called for other events of remote servers. */
  readonly check_event_allowed: { readonly event: Event; readonly state_events: StateEvents };
  /** A local user creates a room. Edit request_content in place, or throw a SynapseError to refuse. */
  readonly on_create_room: {
    readonly requester: Requester;
    readonly request_content: MutableJsonObject;
    readonly is_requester_admin: boolean;
  };
  /** A local user invites a third-party identifier. */
  readonly check_threepid_can_be_invited: {
    readonly medium: Medium;
    readonly address: string;
    readonly state_events: StateEvents;
  };
  /** A room is published in the directory, or created with a visibility. */
  readonly check_visibility_can_be_modified: {
    readonly room_id: RoomId;
    readonly state_events: StateEvents;
    readonly new_visibility: Visibility;
  };
  /** An event was stored, whoever made it. Called in every process of Synapse. */
  readonly on_new_event: { readonly event: Event; readonly state_events: StateEvents };
  /** An admin, or a module (user_id is null), deletes a room. */
  readonly check_can_shutdown_room: { readonly user_id: UserId | null; readonly room_id: RoomId };
  /** A user is about to be deactivated. */
  readonly check_can_deactivate_user: { readonly user_id: UserId; readonly by_admin: boolean };
  /** A local user's profile has changed. */
  readonly on_profile_update: {
    readonly user_id: UserId;
    readonly new_profile: ProfileInfo;
    readonly by_admin: boolean;
    readonly deactivation: boolean;
  };
  /** A user was deactivated or reactivated. */
  readonly on_user_deactivation_status_changed: {
    readonly user_id: UserId;
    readonly deactivated: boolean;
    readonly by_admin: boolean;
  };
  /** A third-party identifier was bound to a local user. Deprecated by Synapse: use on_add_user_third_party_identifier. */
  readonly on_threepid_bind: { readonly user_id: UserId; readonly medium: Medium; readonly address: string };
  /** A third-party identifier was added to a local user. */
  readonly on_add_user_third_party_identifier: {
    readonly user_id: UserId;
    readonly medium: Medium;
    readonly address: string;
  };
  /** A third-party identifier was removed from a local user. */
  readonly on_remove_user_third_party_identifier: {
    readonly user_id: UserId;
    readonly medium: Medium;
    readonly address: string;
  };
  /** An authenticated request, or a push, of a user: called for every one, before anything else is done. Give it a `ttl`, such as `1m`, or a `match`: else each request waits for a call. */
  readonly is_user_expired: { readonly user_id: UserId };
  /** A user was registered. An error fails the registration, but the user exists. */
  readonly on_user_registration: { readonly user_id: UserId };
  /** A user has logged in: device and token exist. An error fails the login. A login by SSO is told twice, as m.login.sso and as m.login.token. */
  readonly on_user_login: {
    readonly user_id: UserId;
    readonly auth_provider_type: string | null;
    readonly auth_provider_id: string | null;
  };
  /** A client asks for a renewal mail at the endpoint that Synapse had for it before modules. */
  readonly on_legacy_send_mail: { readonly user_id: UserId };
  /** A renewal link of the endpoint that Synapse had for it before modules was opened. */
  readonly on_legacy_renew: { readonly renewal_token: string };
  /** An admin sets an account's validity at the endpoint that Synapse had for it before modules. */
  readonly on_legacy_admin_request: { readonly request: Request };
  /** A rate limit on invites (rc_invites.per_room, rc_invites.per_user, rc_invites.per_issuer) is applied to the user who invites: three times per invite. Synapse asks about no other limit. */
  readonly get_ratelimit_override_for_user: { readonly user: UserId; readonly limiter_name: string };
  /** A client asks for the media configuration. */
  readonly get_media_config_for_user: { readonly user: UserId };
  /** A user uploads a file of so many bytes. */
  readonly is_user_allowed_to_upload_media_of_size: { readonly user: UserId; readonly size: number };
  /** A user has uploaded a file: what are their limits? Those of homeserver.yaml are not used then. */
  readonly get_media_upload_limits_for_user: { readonly user_id: UserId };
  /** A user's upload is refused by a limit. An error takes the place of the refusal. */
  readonly on_media_upload_limit_exceeded: {
    readonly user_id: UserId;
    readonly limit: MediaUploadLimit;
    readonly sent_bytes: number;
    readonly attempted_bytes: number;
  };
  /** Presences have changed: who is told, besides those who share a room with them? Called twice for each change. */
  readonly get_users_for_states: { readonly state_updates: UserPresenceStates };
  /** A user syncs: whose presence do they see? Asked at every sync: give it a `ttl`. */
  readonly get_interested_users: { readonly user_id: UserId };
  /** A user logs in, or proves again to be themselves, with a login type that a module checks. Null leaves it to the next module and then to the local password database: so does every failure, also a thrown SynapseError. Which login types and fields there are is fixed at start. */
  readonly auth_checkers: {
    readonly username: string;
    readonly login_type: string;
    readonly login_dict: JsonObject;
  };
  /** A user logs in with a third-party identifier and a password. Null leaves it to the next module and then to the local password database: so does every failure. */
  readonly check_3pid_auth: { readonly medium: Medium; readonly address: string; readonly password: string };
  /** An access token was deleted; here it is: keep it out of logs. */
  readonly on_logged_out: {
    readonly user_id: UserId;
    readonly device_id: DeviceId | null;
    readonly access_token: string;
  };
  /** A third-party identifier is about to be registered or bound. An error is 500 to the client, whatever it says. */
  readonly is_3pid_allowed: {
    readonly medium: Medium;
    readonly address: string;
    readonly registration: boolean;
  };
  /** Someone registers: which localpart do they get? An error is 500 to the client, whatever it says. */
  readonly get_username_for_registration: { readonly uia_results: JsonObject; readonly params: JsonObject };
  /** Someone registers: which display name do they get? An error is 500 to the client, whatever it says. */
  readonly get_displayname_for_registration: {
    readonly uia_results: JsonObject;
    readonly params: JsonObject;
  };
  /** An iteration of a background update is about to run. */
  readonly on_update: {
    readonly update_name: string;
    readonly database_name: string;
    readonly one_shot: boolean;
  };
  /** How many rows the first iteration of a background update takes. */
  readonly default_batch_size: { readonly update_name: string; readonly database_name: string };
  /** How few rows an iteration of a background update takes at least. */
  readonly min_batch_size: { readonly update_name: string; readonly database_name: string };
  /** A user's account data has changed; room_id is null for global data. */
  readonly on_account_data_updated: {
    readonly user_id: UserId;
    readonly room_id: RoomId | null;
    readonly account_data_type: string;
    readonly content: JsonObject;
  };
  /** An event is about to be shown to a client: asked for every event of every answer, and never who reads it. Use `fields`, which needs no call, or `match` and `ttl`. In `fields`, `{ $event: "content.displayname" }` stands for what the event has there, and is left out where it has nothing. */
  readonly add_field_to_unsigned_callback: { readonly event: Event };
  /** Another server has received events from us. Registering it makes Synapse do without its cache of `/state` answers. */
  readonly on_event_delivered_over_federation: { readonly event: FederationEventDeliveryEvent };
}

/** What each callback may answer. */
export interface CallbackResults {
  readonly check_event_for_spam: EventSpamVerdict;
  readonly should_drop_federated_event: boolean;
  readonly user_may_join_room: SpamVerdict;
  readonly user_may_invite: SpamVerdict;
  readonly federated_user_may_invite: SpamVerdict;
  readonly user_may_send_3pid_invite: SpamVerdict;
  readonly user_may_create_room: SpamVerdict;
  readonly user_may_create_room_alias: SpamVerdict;
  readonly user_may_publish_room: SpamVerdict;
  readonly user_may_send_state_event: StateEventVerdict;
  readonly check_username_for_spam: HideVerdict;
  readonly check_registration_for_spam: RegistrationBehaviour;
  readonly check_media_file_for_spam: MediaVerdict;
  readonly check_login_for_spam: LoginVerdict;
  readonly check_event_allowed: EventAllowedVerdict;
  readonly on_create_room: void;
  readonly check_threepid_can_be_invited: Permission;
  readonly check_visibility_can_be_modified: Permission;
  readonly on_new_event: void;
  readonly check_can_shutdown_room: Permission;
  readonly check_can_deactivate_user: Permission;
  readonly on_profile_update: void;
  readonly on_user_deactivation_status_changed: void;
  readonly on_threepid_bind: void;
  readonly on_add_user_third_party_identifier: void;
  readonly on_remove_user_third_party_identifier: void;
  readonly is_user_expired: Expired;
  readonly on_user_registration: void;
  readonly on_user_login: void;
  readonly on_legacy_send_mail: void;
  readonly on_legacy_renew: RenewalResult;
  readonly on_legacy_admin_request: JsonValue;
  readonly get_ratelimit_override_for_user: RatelimitOverride;
  readonly get_media_config_for_user: MediaConfig;
  readonly is_user_allowed_to_upload_media_of_size: UploadPermission;
  readonly get_media_upload_limits_for_user: MediaUploadLimits;
  readonly on_media_upload_limit_exceeded: void;
  readonly get_users_for_states: PresenceRoutes;
  readonly get_interested_users: InterestedUsers;
  readonly auth_checkers: Authenticated;
  readonly check_3pid_auth: Authenticated;
  readonly on_logged_out: void;
  readonly is_3pid_allowed: ThreepidPermission;
  readonly get_username_for_registration: ChosenName;
  readonly get_displayname_for_registration: ChosenName;
  readonly on_update: UpdateDuration;
  readonly default_batch_size: BatchSize;
  readonly min_batch_size: BatchSize;
  readonly on_account_data_updated: void;
  readonly add_field_to_unsigned_callback: UnsignedFields;
  readonly on_event_delivered_over_federation: void;
}

/** Synapse's ModuleApi by its names. */
export interface Api {
  /** The name of this homeserver. */
  readonly server_name: ServerName;
  /** The name of this worker; null in the main process. */
  readonly worker_name: string | null;
  /** The app of this worker; null in the main process. */
  readonly worker_app: string | null;
  /** The address that clients use, with a slash at its end. */
  readonly public_baseurl: string;
  /** The application's name in mails. */
  readonly email_app_name: string;
  /** The folder of the admin's own templates; null if there is none. */
  readonly custom_template_dir: string | null;
  /** Whether a user id, or another id with a domain, is of this homeserver. */
  is_mine(params: { id: string }): boolean;
  /** The full id of a localpart; what begins with @ is returned as it is. */
  get_qualified_user_id(params: { username: string }): UserId;
  /** Whether this process of Synapse runs background tasks. */
  should_run_background_tasks(): boolean;
  /** The time now. */
  get_current_time_msec(): Milliseconds;
  /** What Synapse knows of a local account; null if there is none. */
  get_userinfo_by_id(params: { user_id: UserId }): Promise<UserInfo | null>;
  /** Who makes a web request, by its access token. Throws a SynapseError if nobody does. */
  get_user_by_req(params: {
    req: Request;
    allow_guest?: boolean | undefined;
    allow_expired?: boolean | undefined;
  }): Promise<Requester>;
  /** Whether a user is a server admin. */
  is_user_admin(params: { user_id: UserId }): Promise<boolean>;
  /** A local user's profile; both fields are null for an unknown user. */
  get_profile_for_user(params: { localpart: string }): Promise<ProfileInfo>;
  /** A local user's third-party identifiers. */
  get_threepids_for_user(params: { user_id: UserId }): Promise<Threepids>;
  /** The id of a local user as it was registered; null if there is none. */
  check_user_exists(params: { user_id: UserId }): Promise<UserId | null>;
  /** The state events of a room now. Without a filter, all of them. */
  get_room_state(params: { room_id: RoomId; event_filter?: StateFilter | undefined }): Promise<Events>;
  /** Some state events of a room now. */
  get_state_events_in_room(params: { room_id: RoomId; types: StateFilter }): Promise<Events>;
  /** The room that an alias points to. */
  lookup_room_alias(params: { room_alias: RoomAlias }): Promise<RoomAliasLookup>;
  readonly account_data_manager: {
    /** A local user's global account data of one type. */
    get_global(params: { user_id: UserId; data_type: string }): Promise<JsonObject | null>;
    /** Overwrites a local user's global account data of one type. Needs a grant. */
    put_global(params: { user_id: UserId; data_type: string; new_data: JsonObject }): Promise<void>;
  };
  readonly public_room_list_manager: {
    /** Whether a room is in the public room list. */
    room_is_in_public_room_list(params: { room_id: RoomId }): Promise<boolean>;
    /** Publishes a room. Asks no callback. Needs a grant. */
    add_room_to_public_room_list(params: { room_id: RoomId }): Promise<void>;
    /** Takes a room out of the public room list. Needs a grant. */
    remove_room_from_public_room_list(params: { room_id: RoomId }): Promise<void>;
  };
  /** Throws a SynapseError if a localpart is taken (M_USER_IN_USE) or not valid (M_INVALID_USERNAME). */
  check_username(params: { username: string }): Promise<void>;
  /** Throws an ApiError (InvalidRuleException) if push rule actions are not valid. */
  check_push_rule_actions(params: { actions: PushActions }): Promise<void>;
  /** Where a local user was last seen. Synapse compares since_ts with milliseconds, whatever its documentation says. */
  get_user_ip_and_agents(params: {
    user_id: UserId;
    since_ts?: number | undefined;
  }): Promise<UserIpsAndAgents>;
  /** The monthly active users. */
  get_monthly_active_users_by_service(params?: {
    start_timestamp?: Milliseconds | null | undefined;
    end_timestamp?: Milliseconds | null | undefined;
  }): Promise<ServiceUsers>;
  /** A room's canonical alias; null if it has none. */
  get_canonical_room_alias(params: { room_id: RoomId }): Promise<RoomAlias | null>;
  /** Loads Jinja2 templates, in the order of their names: of custom_template_directory, else of the admin's folder, else Synapse's own. Synapse renders them. */
  read_templates(params: {
    filenames: Texts;
    custom_template_directory?: string | null | undefined;
  }): Promise<Templates>;
  /** Sends an event (type, room_id, sender, content, and state_key for state) as a local user. Not for memberships. Needs a grant. */
  create_and_send_event_into_room(params: { event_dict: JsonObject }): Promise<Event>;
  /** Changes a membership. Awaited for the same room inside a callback that decides about one of its memberships, it can only fail, as Synapse holds the room's lock until the callback has answered: start it there without awaiting it. Needs a grant. */
  update_room_membership(params: {
    sender: UserId;
    target: UserId;
    room_id: RoomId;
    new_membership: string;
    content?: JsonObject | undefined;
    remote_room_hosts?: ServerNames | undefined;
  }): Promise<Event>;
  /** Creates a room as a local user. Needs a grant. */
  create_room(params: {
    user_id: UserId;
    config: JsonObject;
    ratelimit?: boolean | undefined;
    creator_join_profile?: JsonObject | null | undefined;
  }): Promise<CreatedRoom>;
  /** Sends a mail with Synapse's mail settings. Needs a grant. */
  send_mail(params: { recipient: string; subject: string; html: string; text: string }): Promise<void>;
  /** Registers a user and a device. Deprecated by Synapse: use register_user and register_device. Needs a grant. */
  register(params: {
    localpart: string;
    displayname?: string | null | undefined;
    emails?: Texts | null | undefined;
  }): Promise<UserAndToken>;
  /** Registers a user, who has no password. Emails count as validated. Needs a grant. */
  register_user(params: {
    localpart: string;
    displayname?: string | null | undefined;
    emails?: Texts | null | undefined;
    admin?: boolean | undefined;
  }): Promise<UserId>;
  /** Makes a device with an access token. Synapse does not check that the user exists. Needs a grant. */
  register_device(params: {
    user_id: UserId;
    device_id?: DeviceId | null | undefined;
    initial_display_name?: string | null | undefined;
  }): Promise<DeviceTokens>;
  /** Records who a user is to an SSO provider. Throws an ApiError (ExternalIDReuseException) if the external id is another user's. Needs a grant. */
  record_user_external_id(params: {
    auth_provider_id: string;
    remote_user_id: string;
    registered_user_id: UserId;
  }): Promise<void>;
  /** A token for m.login.token. Synapse does not check that the user exists. Needs a grant. */
  create_login_token(params: {
    user_id: UserId;
    duration_in_ms?: Milliseconds | undefined;
    auth_provider_id?: string | null | undefined;
    auth_provider_session_id?: string | null | undefined;
  }): Promise<string>;
  /** Logs a device out by its access token. Works also in the versions of Synapse whose own method fails. Needs a grant. */
  invalidate_access_token(params: { access_token: string }): Promise<void>;
  /** Ends an SSO login: Synapse itself answers the web request, and what the handler returns is ignored. Needs a grant. */
  complete_sso_login_async(params: {
    registered_user_id: UserId;
    request: Request;
    client_redirect_url: string;
    new_user?: boolean | undefined;
    auth_provider_id?: string | undefined;
  }): Promise<void>;
  /** Makes a local user a server admin, or no longer. Needs a grant. */
  set_user_admin(params: { user_id: UserId; admin: boolean }): Promise<void>;
  /** Changes a local user's display name. Leave out deactivation, which Synapse is about to remove. Needs a grant. */
  set_displayname(params: {
    user_id: UserId;
    new_displayname: string;
    deactivation?: boolean | undefined;
  }): Promise<void>;
  /** Records that an identity server knows a user by a third-party identifier. Needs a grant. */
  store_remote_3pid_association(params: {
    user_id: UserId;
    medium: Medium;
    address: string;
    id_server: ServerName;
  }): Promise<void>;
  /** Begins to remove everyone from a room and to purge it; does not wait for it. Needs a grant. */
  delete_room(params: { room_id: RoomId }): Promise<void>;
  /** Sends users the presence of all online users that they see. Needs a grant. */
  send_local_online_presence_to(params: { users: UserIds }): Promise<void>;
  /** Changes users' presence. Needs a grant. */
  set_presence_for_users(params: { users: PresenceUpdates }): Promise<void>;
  /** Pushes to a user's devices, or to one; tells which were reached. In a process that does not run the user's pushers the answer is empty. Needs a grant. */
  send_http_push_notification(params: {
    user_id: UserId;
    device_id: DeviceId | null;
    content: JsonObject;
    tweaks?: JsonObject | null | undefined;
    default_payload?: JsonObject | null | undefined;
  }): Promise<DeviceFlags>;
  /** Changes the actions of a local user's push rule; the scope is global. Throws an ApiError (RuleNotFoundException, InvalidRuleException). Needs a grant. */
  set_push_rule_action(params: {
    user_id: UserId;
    scope: string;
    kind: string;
    rule_id: string;
    actions: PushActions;
  }): Promise<void>;
  readonly http_client: {
    /** GETs JSON with Synapse's HTTP client. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    get_json(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** GETs bytes with Synapse's HTTP client. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    get_raw(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<Uint8Array>;
    /** POSTs JSON, gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    post_json_get_json(params: {
      uri: string;
      post_json: JsonValue;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** POSTs a form, gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    post_urlencoded_get_json(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** PUTs JSON, gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    put_json(params: {
      uri: string;
      json_body: JsonValue;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** Any request, and its whole answer whatever the status. Needs a grant. */
    request(params: {
      method: string;
      uri: string;
      data?: Uint8Array | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<HttpResponse>;
  };
  /** Runs SQL in Synapse's own database, in one transaction: a list of statements, or (on PostgreSQL) a function that runs them. Needs a grant. */
  readonly run_db_interaction: RunDbInteraction;
  readonly store: {
    /** The value of a key; undefined if there is none. */
    readonly get: StoreGet;
    /** Entries in the order of their keys, at most `limit` (100; 500 at most), of those that come after the key `after`. */
    readonly list: StoreList;
    /** Gives a key a value, which expires after `ttl`. Needs the grant `store`. */
    readonly set: StoreSet;
    /** Deletes a key; whether it had a value. Needs the grant `store`. */
    readonly delete: StoreDelete;
    /** Sets a value (undefined deletes it) if the present one equals `expected` (undefined: if there is none); whether it did. Needs the grant `store`. */
    readonly compare_and_set: StoreCompareAndSet;
    /** Replaces a value by what the function `update` makes of it (undefined deletes it), with no other write in between; the new value. Needs the grant `store`. */
    readonly update: StoreUpdate;
  };
}

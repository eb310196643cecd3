// Generated from schemas/ by `npm run generate`: do not edit.
// What each callback gets and may answer.
import type {
  RegistrationBehaviour,
} from "./codes.js";
import type {
  JsonObject,
  JsonValue,
  MutableJsonObject,
} from "./json.js";
import type {
  AfterLogin,
  AfterUpdate,
  EventReplacement,
  FileWrapper,
  StateEvents,
  Template,
} from "./objects.js";
import type {
  BatchSize,
  ChosenName,
  DeviceId,
  Event,
  EventSpamVerdict,
  Expired,
  FederationEventDeliveryEvent,
  FileInfo,
  HideVerdict,
  InterestedUsers,
  LoginVerdict,
  MediaConfig,
  MediaUploadLimit,
  MediaUploadLimits,
  MediaVerdict,
  Medium,
  Permission,
  PresenceRoutes,
  ProfileInfo,
  RatelimitOverride,
  RenewalResult,
  RequestInfo,
  Requester,
  RoomAlias,
  RoomId,
  SpamVerdict,
  StateEventVerdict,
  Threepid,
  ThreepidPermission,
  UnsignedFields,
  UploadPermission,
  UserId,
  UserPresenceStates,
  UserProfile,
  Visibility,
} from "./wire-types.js";

/** Templates, in the order of their names; `await template.render({ name: value })` gives a string. On the wire: their names. */
export type Templates = readonly Template[];

/** true allows, false refuses, a replacement allows the event in its changed form; or Synapse's pair [allowed, replacement or null]. */
export type EventAllowedVerdict =
  boolean | EventReplacement | readonly [allowed: boolean, replacement: EventReplacement | null];

/** The full id of a user that exists, who has proved to be themselves; or [user id, function], which gets the response of the login and may edit it; or null for no opinion. */
export type Authenticated = string | null | readonly [user_id: string, callback: AfterLogin];

/** How long one iteration of a background update should take, in milliseconds; or [milliseconds, function], which is run after it; or null for Synapse's own duration and pause. */
export type UpdateDuration = number | null | readonly [milliseconds: number, done: AfterUpdate];

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
  readonly user_may_create_room: {
    readonly user_id: UserId;
    readonly room_config?: MutableJsonObject | undefined;
  };
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
  readonly check_username_for_spam: {
    readonly user_profile: UserProfile;
    readonly requester_id?: UserId | undefined;
  };
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

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

/** Templates, in the order of `filenames`. `await template.render({ name: value })` gives a string. On the wire: their names. */
export type Templates = readonly Template[];

/** true allows, false refuses, and a replacement allows the event in its changed form. Synapse's pair [allowed, replacement or null] works, too. */
export type EventAllowedVerdict =
  boolean | EventReplacement | readonly [allowed: boolean, replacement: EventReplacement | null];

/** The full id of an existing user who has proved to be that user. Or [user id, function]: the function gets the response of the login and may edit it. Or null for no opinion. */
export type Authenticated = string | null | readonly [user_id: string, callback: AfterLogin];

/** How long one iteration of a background update should take, in milliseconds. Or [milliseconds, function]: the function runs after the iteration. Or null for Synapse's own duration and pause. */
export type UpdateDuration = number | null | readonly [milliseconds: number, done: AfterUpdate];

/** What each callback gets. */
export interface CallbackParams {
  /** A local user has sent an event, or another server has. Synapse does not ask about memberships of local users, nor about the first events of a room. */
  readonly check_event_for_spam: { readonly event: Event };
  /** Another server has sent an event, and Synapse is about to process it. Synapse asks more than once, so the answer about one event must not change. */
  readonly should_drop_federated_event: { readonly event: Event };
  /** A local user joins a room, or changes their profile in it. */
  readonly user_may_join_room: { readonly user: UserId; readonly room: RoomId; readonly is_invited: boolean };
  /** A local user invites somebody, or an invite from another server has passed `federated_user_may_invite`. */
  readonly user_may_invite: { readonly inviter: UserId; readonly invitee: UserId; readonly room_id: RoomId };
  /** A user of another server invites a local user. */
  readonly federated_user_may_invite: { readonly event: Event };
  /** A local user invites an email address or a phone number that belongs to no known user. */
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
  /** A local user adds a room to the public room directory, or removes it. */
  readonly user_may_publish_room: { readonly user_id: UserId; readonly room_id: RoomId };
  /** A local user sends a state event by a request for that event alone. */
  readonly user_may_send_state_event: {
    readonly user_id: UserId;
    readonly room_id: RoomId;
    readonly event_type: string;
    readonly state_key: string;
    readonly content: MutableJsonObject;
  };
  /** A search in the user directory has found a user. Synapse asks once for each result. */
  readonly check_username_for_spam: {
    readonly user_profile: UserProfile;
    readonly requester_id?: UserId | undefined;
  };
  /** Somebody registers. */
  readonly check_registration_for_spam: {
    readonly email_threepid: Threepid | null;
    readonly username: string | null;
    readonly request_info: RequestInfo;
    readonly auth_provider_id: string | null;
  };
  /** Synapse has stored a media file or a thumbnail: uploaded, fetched from another server, or made for a URL preview. */
  readonly check_media_file_for_spam: { readonly file_wrapper: FileWrapper; readonly file_info: FileInfo };
  /** A user has authenticated, and logs in. */
  readonly check_login_for_spam: {
    readonly user_id: UserId;
    readonly device_id: DeviceId | null;
    readonly initial_display_name: string | null;
    readonly request_info: RequestInfo;
    readonly auth_provider_id: string | null;
  };
  /** This server builds an event: for a local user, or for a remote user who joins, leaves or knocks through this server. Synapse does not ask about other events of remote servers. */
  readonly check_event_allowed: { readonly event: Event; readonly state_events: StateEvents };
  /** A local user creates a room. Edit `request_content` in place, or throw a SynapseError to refuse. */
  readonly on_create_room: {
    readonly requester: Requester;
    readonly request_content: MutableJsonObject;
    readonly is_requester_admin: boolean;
  };
  /** A local user invites an email address or a phone number. */
  readonly check_threepid_can_be_invited: {
    readonly medium: Medium;
    readonly address: string;
    readonly state_events: StateEvents;
  };
  /** A room is added to the public room directory, or is created. */
  readonly check_visibility_can_be_modified: {
    readonly room_id: RoomId;
    readonly state_events: StateEvents;
    readonly new_visibility: Visibility;
  };
  /** Synapse has stored an event, from here or from another server. Synapse calls this in every process. */
  readonly on_new_event: { readonly event: Event; readonly state_events: StateEvents };
  /** An admin or a module deletes a room. */
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
  /** A third-party identifier was added to a local user. Deprecated by Synapse: use `on_add_user_third_party_identifier`. */
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
  /** A user makes a request, or gets a push notification. Synapse asks at every one of them. Give the callback a `ttl`, such as `1m`, or a `match`; else each request waits for a call. */
  readonly is_user_expired: { readonly user_id: UserId };
  /** A user was registered. An error fails the request, but the user exists. */
  readonly on_user_registration: { readonly user_id: UserId };
  /** A user has logged in; the device and the token exist. An error fails the login. Synapse calls this twice for a login by SSO: with `m.login.sso` and with `m.login.token`. */
  readonly on_user_login: {
    readonly user_id: UserId;
    readonly auth_provider_type: string | null;
    readonly auth_provider_id: string | null;
  };
  /** A client asks for a renewal mail, at the endpoint that Synapse had before it had modules. */
  readonly on_legacy_send_mail: { readonly user_id: UserId };
  /** Somebody opens a renewal link, at the endpoint that Synapse had before it had modules. */
  readonly on_legacy_renew: { readonly renewal_token: string };
  /** An admin sets the validity of an account, at the endpoint that Synapse had before it had modules. */
  readonly on_legacy_admin_request: { readonly request: Request };
  /** A local user invites somebody, and Synapse is about to apply a rate limit: `rc_invites.per_room`, `rc_invites.per_user` or `rc_invites.per_issuer`. Synapse asks three times for each invite, and asks about no other limit. */
  readonly get_ratelimit_override_for_user: { readonly user: UserId; readonly limiter_name: string };
  /** A client asks for the media configuration. */
  readonly get_media_config_for_user: { readonly user: UserId };
  /** A user is about to upload a file. */
  readonly is_user_allowed_to_upload_media_of_size: { readonly user: UserId; readonly size: number };
  /** A user has uploaded a file, and Synapse is about to apply upload limits. An answer replaces those of homeserver.yaml. */
  readonly get_media_upload_limits_for_user: { readonly user_id: UserId };
  /** A limit is about to refuse a user's upload. An error replaces the refusal. */
  readonly on_media_upload_limit_exceeded: {
    readonly user_id: UserId;
    readonly limit: MediaUploadLimit;
    readonly sent_bytes: number;
    readonly attempted_bytes: number;
  };
  /** Presences have changed. Who sees them, besides the users who share a room? Synapse asks twice for each change. */
  readonly get_users_for_states: { readonly state_updates: UserPresenceStates };
  /** A user syncs. Whose presence do they see? Synapse asks at every sync, so give the callback a `ttl`. */
  readonly get_interested_users: { readonly user_id: UserId };
  /** A user logs in or authenticates again, with a login type that a module checks. After null and after every failure, also a SynapseError, the next module is asked, and in the end the local password database. The login types and their fields are fixed when Synapse starts. */
  readonly auth_checkers: {
    readonly username: string;
    readonly login_type: string;
    readonly login_dict: JsonObject;
  };
  /** A user logs in with an email address or a phone number, and a password. After null and after every failure the next module is asked, and in the end the local password database. */
  readonly check_3pid_auth: { readonly medium: Medium; readonly address: string; readonly password: string };
  /** An access token was deleted. Keep it out of logs. */
  readonly on_logged_out: {
    readonly user_id: UserId;
    readonly device_id: DeviceId | null;
    readonly access_token: string;
  };
  /** A third-party identifier is about to be added to a user. After an error the client gets 500, whatever the error says. */
  readonly is_3pid_allowed: {
    readonly medium: Medium;
    readonly address: string;
    readonly registration: boolean;
  };
  /** Somebody registers. Which localpart do they get? After an error the client gets 500, whatever the error says. */
  readonly get_username_for_registration: { readonly uia_results: JsonObject; readonly params: JsonObject };
  /** Somebody registers. Which display name do they get? After an error the client gets 500, whatever the error says. */
  readonly get_displayname_for_registration: {
    readonly uia_results: JsonObject;
    readonly params: JsonObject;
  };
  /** Synapse is about to run an iteration of a background update. */
  readonly on_update: {
    readonly update_name: string;
    readonly database_name: string;
    readonly one_shot: boolean;
  };
  /** How many rows does the first iteration of a background update take? */
  readonly default_batch_size: { readonly update_name: string; readonly database_name: string };
  /** How many rows does an iteration of a background update take at least? */
  readonly min_batch_size: { readonly update_name: string; readonly database_name: string };
  /** A user's account data has changed. */
  readonly on_account_data_updated: {
    readonly user_id: UserId;
    readonly room_id: RoomId | null;
    readonly account_data_type: string;
    readonly content: JsonObject;
  };
  /** Synapse is about to show an event to a client. It asks for every event of every answer, and does not say who reads it. Use `fields`, which needs no call, or `match` and `ttl`. */
  readonly add_field_to_unsigned_callback: { readonly event: Event };
  /** Another server has received events from this one. A Synapse with this callback does not cache its answers to `/state`. */
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

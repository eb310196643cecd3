// Generated from schemas/ by `npm run generate`: do not edit.
// What each callback gets and may answer.
import type {
  RegistrationBehaviour,
} from "./codes.js";
import type {
  JsonInput,
  JsonInputObject,
  JsonObject,
  MutableJsonObject,
} from "./json.js";
import type {
  AfterLogin,
  AfterUpdate,
  CreateRoomBody,
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
  UploadPermission,
  UserId,
  UserPresenceStates,
  UserProfile,
  Visibility,
} from "./wire-types.js";

/**
 * The body of a createRoom request.
 * @example
 * ```ts fragment value
 * const roomToCreate: RoomToCreate = { preset: "private_chat", invite: ["@alice:example.org"] };
 * ```
 */
export type RoomToCreate = CreateRoomBody<JsonInput>;

/** Templates, in the order of `filenames`. `await template.render({ name: value })` gives a string. */
export type Templates = readonly Template[];

/**
 * true allows, false refuses, and a replacement allows the event in its changed form. Synapse's pair
 * [allowed, replacement or null] works, too.
 * @example
 * ```ts fragment value
 * const eventAllowedVerdict: EventAllowedVerdict = { content: { body: "edited" } };
 * ```
 */
export type EventAllowedVerdict =
  boolean | EventReplacement | readonly [allowed: boolean, replacement: EventReplacement | null];

/**
 * The full id of an existing user who has proved to be that user. Or [user id, function]: the function gets
 * the response of the login and may edit it. Or null for no opinion.
 * @example
 * ```ts fragment value
 * const authenticated: Authenticated = [
 *   "@alice:example.org",
 *   (login_response) => {
 *     login_response["org.example.first"] = true;
 *   },
 * ];
 * ```
 */
export type Authenticated = string | null | readonly [user_id: string, callback: AfterLogin];

/**
 * How long one iteration of a background update should take, in milliseconds. Or [milliseconds, function]:
 * the function runs after the iteration. Or null for Synapse's own duration and pause.
 * @example
 * ```ts fragment value
 * const updateDuration: UpdateDuration = [50, () => console.log("an iteration is done")];
 * ```
 */
export type UpdateDuration = number | null | readonly [milliseconds: number, done: AfterUpdate];

/** The parameters of each callback. */
export interface CallbackParams {
  /**
   * A local user has sent an event, or another server has. Synapse does not ask about memberships of local
   * users, nor about the first events of a room.
   *
   * - **Answer**: `EventSpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time
   *   also: false allows, true refuses, and any other string refuses with that text.
   * - **Next module**: after `NOT_SPAM` or `false`.
   * - **Without an answer**: `allow`. `on_failure` may be `allow`, `deny` (answers `"M_FORBIDDEN"` in federated
   *   calls) or `defer`. For federated calls `deny` has to be set for this callback itself.
   * - **After a throw** about a message of another server: `M_FORBIDDEN`, unless `on_failure` is set for this
   *   callback.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#check_event_for_spam.
   * @example
   * ```ts fragment callbacks
   * check_event_for_spam: {
   *   match: { type: ["m.room.message"], local: true },
   *   handler({ event }) {
   *     const isLong = JSON.stringify(event.content).length > 10_000;
   *     return isLong ? [Codes.FORBIDDEN, { "org.example.limit": 10_000 }] : NOT_SPAM;
   *   },
   * },
   * ```
   */
  readonly check_event_for_spam: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
  };
  /**
   * Another server has sent an event, and Synapse is about to process it; from 1.130.0 on, it may be an invite.
   * Synapse asks more than once, so the answer about one event must not change.
   *
   * - **Answer**: `boolean`. true drops the event, false keeps it. At run time also: a string that is not empty
   *   drops it, as in Synapse. `NOT_SPAM` is an error here, since Synapse would drop the event.
   * - **Next module**: after `false` or `""`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.60.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#should_drop_federated_event.
   * @example
   * ```ts fragment callbacks
   * should_drop_federated_event: {
   *   match: { type: ["org.example.experiment"] },
   *   handler: () => true,
   * },
   * ```
   */
  readonly should_drop_federated_event: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
  };
  /**
   * A local user joins a room, or changes their profile in it.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_join_room.
   * @example
   * ```ts fragment callbacks
   * user_may_join_room({ room, is_invited }) {
   *   return is_invited || room.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly user_may_join_room: {
    /** A full user id, `@localpart:server`. */
    readonly user: UserId;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room: RoomId;
    /** Whether the user has an invite to the room. */
    readonly is_invited: boolean;
  };
  /**
   * A local user invites somebody, or an invite from another server has passed `federated_user_may_invite`.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_invite.
   * @example
   * ```ts fragment callbacks
   * user_may_invite({ invitee }) {
   *   return invitee.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly user_may_invite: {
    /** A full user id, `@localpart:server`. */
    readonly inviter: UserId;
    /** A full user id, `@localpart:server`. */
    readonly invitee: UserId;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
  };
  /**
   * A user of another server invites a local user.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.134.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#federated_user_may_invite.
   * @example
   * ```ts fragment callbacks
   * federated_user_may_invite({ event }) {
   *   return event.sender.endsWith(":friends.example") ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly federated_user_may_invite: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
  };
  /**
   * A local user invites an email address or a phone number that belongs to no known user.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.45.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_send_3pid_invite.
   * @example
   * ```ts fragment callbacks
   * user_may_send_3pid_invite({ medium, address }) {
   *   return medium === "email" && address.endsWith("@example.org") ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly user_may_send_3pid_invite: {
    /** A full user id, `@localpart:server`. */
    readonly inviter: UserId;
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    /** The email address or the phone number. */
    readonly address: string;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
  };
  /**
   * A local user creates or upgrades a room.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_create_room.
   * @example
   * ```ts fragment callbacks
   * user_may_create_room({ user_id, room_config }) {
   *   const isPublic = room_config?.preset === "public_chat";
   *   return isPublic && user_id !== "@alice:example.org" ? Codes.FORBIDDEN : NOT_SPAM;
   * },
   * ```
   */
  readonly user_may_create_room: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The body of a createRoom request. Absent before Synapse 1.132.0, where a `match` on it stops the start. */
    readonly room_config?: CreateRoomBody | undefined;
  };
  /**
   * A local user creates a room alias.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_create_room_alias.
   * @example
   * ```ts fragment callbacks
   * user_may_create_room_alias({ room_alias }) {
   *   return room_alias.startsWith("#team-") ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly user_may_create_room_alias: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** A room alias, `#localpart:server`. */
    readonly room_alias: RoomAlias;
  };
  /**
   * A local user adds a room to the public room directory, or removes it.
   *
   * - **Answer**: `SpamVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   true allows, false and any other string refuse.
   * - **Next module**: after `NOT_SPAM` or `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_publish_room.
   * @example
   * ```ts fragment callbacks
   * async user_may_publish_room({ user_id }, { api }) {
   *   return (await api.is_user_admin({ user_id })) ? NOT_SPAM : Codes.FORBIDDEN;
   * },
   * ```
   */
  readonly user_may_publish_room: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
  };
  /**
   * A local user sends a state event by a request for that event alone.
   *
   * - **Answer**: `StateEventVerdict`. `NOT_SPAM` allows. A code refuses. At run time also: a boolean or any
   *   other string refuses.
   * - **Next module**: after `NOT_SPAM`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.132.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#user_may_send_state_event.
   * @example
   * ```ts fragment callbacks
   * user_may_send_state_event: {
   *   match: { event_type: ["m.room.encryption"] },
   *   handler: () => Codes.FORBIDDEN,
   * },
   * ```
   */
  readonly user_may_send_state_event: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
    /** The `type` of the event. */
    readonly event_type: string;
    readonly state_key: string;
    /** The content of the state event. */
    readonly content: MutableJsonObject;
  };
  /**
   * A search in the user directory has found a user. Synapse asks once for each result.
   *
   * - **Answer**: `HideVerdict`. true hides the user from the search results, false shows them.
   * - **Next module**: after `false`.
   * - **Without an answer**: `allow`. `on_failure` may be `allow`, `deny` (answers `true`) or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#check_username_for_spam.
   * @example
   * ```ts fragment callbacks
   * check_username_for_spam({ user_profile }) {
   *   return user_profile.user_id.startsWith("@test-");
   * },
   * ```
   */
  readonly check_username_for_spam: {
    /** A user as the user directory shows them. The user who was found. */
    readonly user_profile: UserProfile;
    /**
     * A full user id, `@localpart:server`. The user who searches; absent before Synapse 1.122.0, where a `match`
     * on it stops the start.
     */
    readonly requester_id?: UserId | undefined;
  };
  /**
   * Somebody registers.
   *
   * - **Answer**: `RegistrationBehaviour`. `ALLOW`, `DENY` (the client gets 429 Rate limited) or `SHADOW_BAN`.
   * - **Next module**: after `ALLOW`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#check_registration_for_spam.
   * @example
   * ```ts fragment callbacks
   * check_registration_for_spam({ email_threepid }) {
   *   return email_threepid === null ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW;
   * },
   * ```
   */
  readonly check_registration_for_spam: {
    /** A third-party identifier, such as an email address. */
    readonly email_threepid: Threepid | null;
    /** The localpart; null if Synapse is to choose one. */
    readonly username: string | null;
    /** The requests that led to this call, each as [user agent, IP address]. */
    readonly request_info: RequestInfo;
    /** The SSO provider, if any. */
    readonly auth_provider_id: string | null;
  };
  /**
   * Synapse has stored a media file or a thumbnail: uploaded, fetched from another server, or made for a URL
   * preview.
   *
   * - **Answer**: `MediaVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses: whatever the code,
   *   a client that uploads gets 400 `M_UNKNOWN`. At run time also: false allows, true and any other string
   *   refuse.
   * - **Next module**: after `NOT_SPAM` or `false`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.37.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#check_media_file_for_spam.
   * @example
   * ```ts fragment callbacks
   * async check_media_file_for_spam({ file_wrapper }) {
   *   const bytes = await file_wrapper.read();
   *   const isWindowsProgram = bytes[0] === 0x4d && bytes[1] === 0x5a;
   *   return isWindowsProgram ? Codes.FORBIDDEN : NOT_SPAM;
   * },
   * ```
   */
  readonly check_media_file_for_spam: {
    /** A media file that can be read while the callback runs. */
    readonly file_wrapper: FileWrapper;
    /** What Synapse knows about a media file. */
    readonly file_info: FileInfo;
  };
  /**
   * A user has authenticated, and logs in.
   *
   * - **Answer**: `LoginVerdict`. `NOT_SPAM` allows. A code, or a code with fields, refuses. At run time also:
   *   a boolean or any other string refuses.
   * - **Next module**: after `NOT_SPAM`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.87.0. A Python module registers it with `register_spam_checker_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/spam_checker_callbacks.html#check_login_for_spam.
   * @example
   * ```ts fragment callbacks
   * check_login_for_spam({ request_info }) {
   *   const addresses = request_info.map(([_userAgent, address]) => address);
   *   return addresses.includes("203.0.113.7") ? Codes.FORBIDDEN : NOT_SPAM;
   * },
   * ```
   */
  readonly check_login_for_spam: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The id of a user's device. */
    readonly device_id: DeviceId | null;
    /** The name that the client gives to the device. */
    readonly initial_display_name: string | null;
    /** The requests that led to this call, each as [user agent, IP address]. */
    readonly request_info: RequestInfo;
    /** The SSO provider, if any. */
    readonly auth_provider_id: string | null;
  };
  /**
   * This server builds an event: for a local user, or for a remote user who joins, leaves or knocks through
   * this server. Synapse does not ask about other events of remote servers.
   *
   * - **Answer**: `EventAllowedVerdict`. true allows, false refuses, and a replacement allows the event in its
   *   changed form. Synapse's pair [allowed, replacement or null] works, too.
   * - **Next module**: after `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#check_event_allowed.
   * @example
   * ```ts fragment callbacks
   * check_event_allowed: {
   *   match: { type: ["m.room.topic"] },
   *   async handler({ event, state_events }) {
   *     const before = await state_events.get("m.room.topic", "");
   *     if (before?.content.topic === event.content.topic) return false;
   *     return { content: { ...event.content, "org.example.changed_by": event.sender } };
   *   },
   * },
   * ```
   */
  readonly check_event_allowed: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
    /** The state of the room, fetched on demand. */
    readonly state_events: StateEvents;
  };
  /**
   * A local user creates a room. Edit `request_content` in place, or throw a SynapseError to refuse.
   *
   * - **Answer**: Nothing. Edit the parameter in place; a returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_create_room.
   * @example
   * ```ts fragment callbacks
   * on_create_room({ request_content, is_requester_admin }) {
   *   if (!is_requester_admin) request_content.visibility = "private";
   * },
   * ```
   */
  readonly on_create_room: {
    /** Who makes a request, and how they are authenticated. */
    readonly requester: Requester;
    /** The body of the createRoom request. */
    readonly request_content: CreateRoomBody;
    /** Whether the requester is a server admin. */
    readonly is_requester_admin: boolean;
  };
  /**
   * A local user invites an email address or a phone number.
   *
   * - **Answer**: `Permission`. true allows, false refuses.
   * - **Next module**: after `true`.
   * - **Without an answer**: `deny`. `on_failure` may be `allow` or `deny` (answers `false`).
   * - **After a throw**: it refuses. (In Python, Synapse would allow.)
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#check_threepid_can_be_invited.
   * @example
   * ```ts fragment callbacks
   * check_threepid_can_be_invited({ address }) {
   *   return address.endsWith("@example.org");
   * },
   * ```
   */
  readonly check_threepid_can_be_invited: {
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    /** The email address or the phone number. */
    readonly address: string;
    /** The state of the room, fetched on demand. */
    readonly state_events: StateEvents;
  };
  /**
   * A room is added to the public room directory, or is created.
   *
   * - **Answer**: `Permission`. true allows, false refuses.
   * - **Next module**: after `true`.
   * - **Without an answer**: `deny`. `on_failure` may be `allow` or `deny` (answers `false`).
   * - **After a throw**: it refuses. (In Python, Synapse would allow.)
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#check_visibility_can_be_modified.
   * @example
   * ```ts fragment callbacks
   * async check_visibility_can_be_modified({ state_events, new_visibility }) {
   *   const name = await state_events.get("m.room.name", "");
   *   return new_visibility === "private" || name !== undefined;
   * },
   * ```
   */
  readonly check_visibility_can_be_modified: {
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
    /** The state of the room, fetched on demand. The state of the room; empty while the room is created. */
    readonly state_events: StateEvents;
    /** Whether a room is in the public room directory. */
    readonly new_visibility: Visibility;
  };
  /**
   * Synapse has stored an event, from here or from another server. Synapse calls this in every process.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.47.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_new_event.
   * @example
   * ```ts fragment callbacks
   * on_new_event: {
   *   match: { type: ["m.room.member"], "content.membership": ["join"] },
   *   handler({ event }, { log }) {
   *     log.info({ room_id: event.room_id, user_id: event.state_key }, "somebody has joined");
   *   },
   * },
   * ```
   */
  readonly on_new_event: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
    /** The state of the room, fetched on demand. */
    readonly state_events: StateEvents;
  };
  /**
   * An admin or a module deletes a room.
   *
   * - **Answer**: `Permission`. true allows, false refuses.
   * - **Next module**: after `true`.
   * - **Without an answer**: `deny`. `on_failure` may be `allow` or `deny` (answers `false`).
   * - **After a throw**: it refuses. (In Python, Synapse would allow.)
   *
   * Since Synapse 1.55.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#check_can_shutdown_room.
   * @example
   * ```ts fragment callbacks
   * async check_can_shutdown_room({ user_id }, { api }) {
   *   return user_id !== null && (await api.is_user_admin({ user_id }));
   * },
   * ```
   */
  readonly check_can_shutdown_room: {
    /** A full user id, `@localpart:server`. The admin; null if a module deletes the room. */
    readonly user_id: UserId | null;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    readonly room_id: RoomId;
  };
  /**
   * A user is about to be deactivated.
   *
   * - **Answer**: `Permission`. true allows, false refuses.
   * - **Next module**: after `true`.
   * - **Without an answer**: `deny`. `on_failure` may be `allow` or `deny` (answers `false`).
   * - **After a throw**: it refuses. (In Python, Synapse would allow.)
   *
   * Since Synapse 1.55.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#check_can_deactivate_user.
   * @example
   * ```ts fragment callbacks
   * check_can_deactivate_user({ user_id, by_admin }) {
   *   return by_admin || !user_id.startsWith("@bot-");
   * },
   * ```
   */
  readonly check_can_deactivate_user: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** Whether an admin does it. */
    readonly by_admin: boolean;
  };
  /**
   * A local user's profile has changed.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.54.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_profile_update.
   * @example
   * ```ts fragment callbacks
   * on_profile_update({ user_id, new_profile }, { log }) {
   *   log.info({ user_id, name: new_profile.display_name }, "a profile has changed");
   * },
   * ```
   */
  readonly on_profile_update: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** A user's profile. */
    readonly new_profile: ProfileInfo;
    /** Whether an admin, SSO or a module made the change. */
    readonly by_admin: boolean;
    /** Whether the user is being deactivated. */
    readonly deactivation: boolean;
  };
  /**
   * A user was deactivated or reactivated.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.54.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_user_deactivation_status_changed.
   * @example
   * ```ts fragment callbacks
   * on_user_deactivation_status_changed({ user_id, deactivated }, { log }) {
   *   log.info({ user_id, deactivated }, "an account was deactivated or reactivated");
   * },
   * ```
   */
  readonly on_user_deactivation_status_changed: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** False if the user was reactivated. */
    readonly deactivated: boolean;
    /** Whether an admin did it. */
    readonly by_admin: boolean;
  };
  /**
   * A third-party identifier was added to a local user. Deprecated by Synapse: use
   * `on_add_user_third_party_identifier`.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.56.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_threepid_bind.
   * @example
   * ```ts fragment callbacks
   * on_threepid_bind({ user_id, medium }, { log }) {
   *   log.info({ user_id, medium }, "an identifier was bound");
   * },
   * ```
   */
  readonly on_threepid_bind: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    readonly address: string;
  };
  /**
   * A third-party identifier was added to a local user.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.79.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_add_user_third_party_identifier.
   * @example
   * ```ts fragment callbacks
   * on_add_user_third_party_identifier({ user_id, medium }, { log }) {
   *   log.info({ user_id, medium }, "an identifier was added");
   * },
   * ```
   */
  readonly on_add_user_third_party_identifier: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    readonly address: string;
  };
  /**
   * A third-party identifier was removed from a local user.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.79.0. A Python module registers it with `register_third_party_rules_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/third_party_rules_callbacks.html#on_remove_user_third_party_identifier.
   * @example
   * ```ts fragment callbacks
   * on_remove_user_third_party_identifier({ user_id, medium }, { log }) {
   *   log.info({ user_id, medium }, "an identifier was removed");
   * },
   * ```
   */
  readonly on_remove_user_third_party_identifier: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    readonly address: string;
  };
  /**
   * A user makes a request, or gets a push notification. Synapse asks at every one of them. Give the callback a
   * `ttl`, such as `1m`, or a `match`; else each request waits for a call.
   *
   * - **Answer**: `Expired`. true if the account has expired, false if not, null for no opinion.
   * - **Next module**: after `null`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_account_validity_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/account_validity_callbacks.html#is_user_expired.
   * @example
   * ```ts fragment callbacks
   * is_user_expired: {
   *   ttl: "1m",
   *   async handler({ user_id }, { api }) {
   *     const until = await api.store.get<number>({ key: `expires/${user_id}` });
   *     return until === undefined ? null : until < Date.now();
   *   },
   * },
   * ```
   */
  readonly is_user_expired: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * A user was registered. An error fails the request, but the user exists.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_account_validity_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/account_validity_callbacks.html#on_user_registration.
   * @example
   * ```ts fragment callbacks
   * async on_user_registration({ user_id }, { api }) {
   *   await api.store.set({ key: `expires/${user_id}`, value: Date.now() + 365 * 24 * 60 * 60 * 1000 });
   * },
   * ```
   */
  readonly on_user_registration: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * A user has logged in; the device and the token exist. An error fails the login. Synapse calls this twice
   * for a login by SSO: with `m.login.sso` and with `m.login.token`.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.98.0. A Python module registers it with `register_account_validity_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/account_validity_callbacks.html#on_user_login.
   * @example
   * ```ts fragment callbacks
   * on_user_login({ user_id, auth_provider_type }, { log }) {
   *   log.info({ user_id, auth_provider_type }, "a user has logged in");
   * },
   * ```
   */
  readonly on_user_login: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The login type, such as `m.login.password`. */
    readonly auth_provider_type: string | null;
    /** The SSO provider, if any. */
    readonly auth_provider_id: string | null;
  };
  /**
   * A client asks for a renewal mail, at the endpoint that Synapse had before it had modules.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: none. Synapse takes this callback from one module only: a second module with it, or a
   *   `match`, stops the start.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` or `defer`.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_account_validity_callbacks`. Synapse's
   * documentation does not describe it.
   * @example
   * ```ts fragment callbacks
   * on_legacy_send_mail({ user_id }, { log }) {
   *   log.info({ user_id }, "a renewal mail was asked for");
   * },
   * ```
   */
  readonly on_legacy_send_mail: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * Somebody opens a renewal link, at the endpoint that Synapse had before it had modules.
   *
   * - **Answer**: `RenewalResult`. [token valid, token stale, expiry in milliseconds]. The client gets a page
   *   that says so.
   * - **Next module**: none. Synapse takes this callback from one module only: a second module with it, or a
   *   `match`, stops the start.
   * - **Without an answer**: `defer`. `on_failure` may be `deny` or `defer`.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_account_validity_callbacks`. Synapse's
   * documentation does not describe it.
   * @example
   * ```ts fragment callbacks
   * async on_legacy_renew({ renewal_token }, { api }) {
   *   const user_id = await api.store.get<string>({ key: `token/${renewal_token}` });
   *   if (user_id === undefined) return [false, false, 0];
   *   const expires = Date.now() + 365 * 24 * 60 * 60 * 1000;
   *   await api.store.set({ key: `expires/${user_id}`, value: expires });
   *   return [true, false, expires];
   * },
   * ```
   */
  readonly on_legacy_renew: {
    /** The token in the link. */
    readonly renewal_token: string;
  };
  /**
   * An admin sets the validity of an account, at the endpoint that Synapse had before it had modules.
   *
   * - **Answer**: `JsonInput`. The new expiry: any JSON. The admin gets it as `expiration_ts`.
   * - **Next module**: none. Synapse takes this callback from one module only: a second module with it, or a
   *   `match`, stops the start.
   * - **Without an answer**: `defer`. `on_failure` may be `deny` or `defer`.
   *
   * Since Synapse 1.39.0. A Python module registers it with `register_account_validity_callbacks`. Synapse's
   * documentation does not describe it.
   * @example
   * ```ts fragment callbacks
   * async on_legacy_admin_request({ request }, { api }) {
   *   const { user_id } = (await request.json()) as { user_id: string };
   *   const expires = Date.now() + 365 * 24 * 60 * 60 * 1000;
   *   await api.store.set({ key: `expires/${user_id}`, value: expires });
   *   return expires;
   * },
   * ```
   */
  readonly on_legacy_admin_request: {
    /** A client's HTTP request, with a body of at most 1 MiB. */
    readonly request: Request;
  };
  /**
   * A local user invites somebody, and Synapse is about to apply a rate limit: `rc_invites.per_room`,
   * `rc_invites.per_user` or `rc_invites.per_issuer`. Synapse asks three times for each invite, and asks about
   * no other limit.
   *
   * - **Answer**: `RatelimitOverride`. A rate limit for this user, or null for no opinion. A `per_second` of 0
   *   is an error: Synapse's documentation says that it lifts the limit, but Synapse divides by it. To lift the
   *   limit, use large numbers.
   * - **Next module**: after `null`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.132.0. A Python module registers it with `register_ratelimit_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/ratelimit_callbacks.html#get_ratelimit_override_for_user.
   * @example
   * ```ts fragment callbacks
   * get_ratelimit_override_for_user({ user, limiter_name }) {
   *   const isBot = user.startsWith("@bot-") && limiter_name === "rc_invites.per_user";
   *   return isBot ? { per_second: 1000, burst_count: 1000 } : null;
   * },
   * ```
   */
  readonly get_ratelimit_override_for_user: {
    /** A full user id, `@localpart:server`. */
    readonly user: UserId;
    /** Such as `rc_invites.per_user`. */
    readonly limiter_name: string;
  };
  /**
   * A client asks for the media configuration.
   *
   * - **Answer**: `MediaConfig`. The whole body of the answer, or null or an empty object for Synapse's own.
   * - **Next module**: after `null` or `{}`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.132.0. A Python module registers it with `register_media_repository_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/media_repository_callbacks.html#get_media_config_for_user.
   * @example
   * ```ts fragment callbacks
   * get_media_config_for_user({ user_id }) {
   *   return user_id.startsWith("@guest-") ? { "m.upload.size": 1_048_576 } : null;
   * },
   * ```
   */
  readonly get_media_config_for_user: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * A user is about to upload a file.
   *
   * - **Answer**: `UploadPermission`. true allows the upload, false refuses it.
   * - **Next module**: after `true`.
   * - **Without an answer**: `defer`. `on_failure` may be `allow`, `deny` (answers `false`) or `defer`.
   *
   * Since Synapse 1.132.0. A Python module registers it with `register_media_repository_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/media_repository_callbacks.html#is_user_allowed_to_upload_media_of_size.
   * @example
   * ```ts fragment callbacks
   * is_user_allowed_to_upload_media_of_size({ user_id, size }) {
   *   return !user_id.startsWith("@guest-") || size <= 1_048_576;
   * },
   * ```
   */
  readonly is_user_allowed_to_upload_media_of_size: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** In bytes. */
    readonly size: number;
  };
  /**
   * A user has uploaded a file, and Synapse is about to apply upload limits. An answer replaces those of
   * homeserver.yaml.
   *
   * - **Answer**: `MediaUploadLimits`. The user's upload limits (an empty list for none), or null for those of
   *   homeserver.yaml.
   * - **Next module**: after `null`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.139.0. A Python module registers it with `register_media_repository_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/media_repository_callbacks.html#get_media_upload_limits_for_user.
   * @example
   * ```ts fragment callbacks
   * get_media_upload_limits_for_user({ user_id }) {
   *   return user_id.startsWith("@guest-") ? [{ max_bytes: 10_485_760, time_period_ms: 86_400_000 }] : null;
   * },
   * ```
   */
  readonly get_media_upload_limits_for_user: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * A limit is about to refuse a user's upload. An error replaces the refusal.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.139.0. A Python module registers it with `register_media_repository_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/media_repository_callbacks.html#on_media_upload_limit_exceeded.
   * @example
   * ```ts fragment callbacks
   * on_media_upload_limit_exceeded({ user_id, sent_bytes }, { log }) {
   *   log.info({ user_id, sent_bytes }, "a user has reached an upload limit");
   * },
   * ```
   */
  readonly on_media_upload_limit_exceeded: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** How many bytes a user may upload in a period. The limit that refuses the upload. */
    readonly limit: MediaUploadLimit;
    /** What the user has uploaded in the period of the limit. */
    readonly sent_bytes: number;
    /** The size of this upload. */
    readonly attempted_bytes: number;
  };
  /**
   * Presences have changed. Who sees them, besides the users who share a room? Synapse asks twice for each
   * change.
   *
   * - **Answer**: `PresenceRoutes`. For each user id, the presences to send to that user. Synapse merges the
   *   answers of all modules.
   * - **Next module**: always. A module that has it needs `get_interested_users`, too.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.42.0. A Python module registers it with `register_presence_router_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/presence_router_callbacks.html#get_users_for_states.
   * @example
   * ```ts fragment callbacks
   * get_users_for_states({ state_updates }) {
   *   return { "@desk:example.org": state_updates };
   * },
   * ```
   */
  readonly get_users_for_states: {
    /** A list of presences. */
    readonly state_updates: UserPresenceStates;
  };
  /**
   * A user syncs. Whose presence do they see? Synapse asks at every sync, so give the callback a `ttl`.
   *
   * - **Answer**: `InterestedUsers`. The users whose presence this user sees, besides those who share a room
   *   with them. Synapse merges the answers of all modules. After `"ALL"` Synapse asks no other module here,
   *   and asks `get_users_for_states` what this user is shown.
   * - **Next module**: always. A module that has it needs `get_users_for_states`, too.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.42.0. A Python module registers it with `register_presence_router_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/presence_router_callbacks.html#get_interested_users.
   * @example
   * ```ts fragment callbacks
   * get_interested_users: {
   *   ttl: "1m",
   *   handler: ({ user_id }) => (user_id === "@desk:example.org" ? "ALL" : []),
   * },
   * ```
   */
  readonly get_interested_users: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
  };
  /**
   * A user logs in or authenticates again, with a login type that a module checks. After null and after every
   * failure, also a SynapseError, the next module is asked, and in the end the local password database. The
   * login types and their fields are fixed when Synapse starts.
   *
   * - **Answer**: `Authenticated`. The full id of an existing user who has proved to be that user. Or [user id,
   *   function]: the function gets the response of the login and may edit it. Or null for no opinion.
   * - **Next module**: the next one with this login type, after `null` and after an exception.
   * - **Without an answer**: `allow`. It cannot be changed.
   * - **Secrets**: of an error, the log has the class and the place, but no text. Shadow modules are not asked.
   *   There is no `ttl`.
   *
   * Since Synapse 1.46.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#auth_checkers.
   * @example
   * ```ts fragment callbacks
   * auth_checkers: [
   *   {
   *     login_type: "org.example.token",
   *     fields: ["token"],
   *     handler({ username, login_dict }, { api }) {
   *       return login_dict.token === "a secret" ? api.get_qualified_user_id({ username }) : null;
   *     },
   *   },
   * ],
   * ```
   */
  readonly auth_checkers: {
    /** As the client sent it: a localpart or a full id. */
    readonly username: string;
    readonly login_type: string;
    /** The `fields` of this entry, as the client sent them. */
    readonly login_dict: JsonObject;
  };
  /**
   * A user logs in with an email address or a phone number, and a password. After null and after every failure
   * the next module is asked, and in the end the local password database.
   *
   * - **Answer**: `Authenticated`. The full id of an existing user who has proved to be that user. Or [user id,
   *   function]: the function gets the response of the login and may edit it. Or null for no opinion.
   * - **Next module**: after `null` and after an exception.
   * - **Without an answer**: `allow`. It cannot be changed.
   * - **Secrets**: of an error, the log has the class and the place, but no text. Shadow modules are not asked.
   *   There is no `ttl`.
   *
   * Since Synapse 1.46.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#check_3pid_auth.
   * @example
   * ```ts fragment callbacks
   * check_3pid_auth({ medium, address, password }, { api }) {
   *   if (medium !== "email" || password !== "a secret") return null;
   *   return api.get_qualified_user_id({ username: address.slice(0, address.indexOf("@")) });
   * },
   * ```
   */
  readonly check_3pid_auth: {
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    readonly address: string;
    readonly password: string;
  };
  /**
   * An access token was deleted. Keep it out of logs.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.46.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#on_logged_out.
   * @example
   * ```ts fragment callbacks
   * on_logged_out({ user_id, device_id }, { log }) {
   *   log.info({ user_id, device_id }, "a device was logged out");
   * },
   * ```
   */
  readonly on_logged_out: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** The id of a user's device. */
    readonly device_id: DeviceId | null;
    readonly access_token: string;
  };
  /**
   * A third-party identifier is about to be added to a user. After an error the client gets 500, whatever the
   * error says.
   *
   * - **Answer**: `ThreepidPermission`. true allows the identifier, false refuses it.
   * - **Next module**: after `true`.
   * - **Without an answer**: `deny`. `on_failure` may be `allow` or `deny` (answers `false`).
   *
   * Since Synapse 1.53.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#is_3pid_allowed.
   * @example
   * ```ts fragment callbacks
   * is_3pid_allowed({ medium, registration }) {
   *   return medium === "email" || !registration;
   * },
   * ```
   */
  readonly is_3pid_allowed: {
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    readonly medium: Medium;
    readonly address: string;
    /** Whether it belongs to a registration. */
    readonly registration: boolean;
  };
  /**
   * Somebody registers. Which localpart do they get? After an error the client gets 500, whatever the error
   * says.
   *
   * - **Answer**: `ChosenName`. The name to use, or null for no opinion.
   * - **Next module**: after `null`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.52.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#get_username_for_registration.
   * @example
   * ```ts fragment callbacks
   * get_username_for_registration({ uia_results }) {
   *   const email = uia_results["m.login.email.identity"] as { address?: string } | undefined;
   *   return email?.address?.split("@")[0] ?? null;
   * },
   * ```
   */
  readonly get_username_for_registration: {
    /** What each stage of the authentication gave. */
    readonly uia_results: JsonObject;
    /** The body of the request. */
    readonly params: JsonObject;
  };
  /**
   * Somebody registers. Which display name do they get? After an error the client gets 500, whatever the error
   * says.
   *
   * - **Answer**: `ChosenName`. The name to use, or null for no opinion.
   * - **Next module**: after `null`.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.54.0. A Python module registers it with `register_password_auth_provider_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/password_auth_provider_callbacks.html#get_displayname_for_registration.
   * @example
   * ```ts fragment callbacks
   * get_displayname_for_registration({ params }) {
   *   return typeof params.username === "string" ? params.username.toUpperCase() : null;
   * },
   * ```
   */
  readonly get_displayname_for_registration: {
    /** What each stage of the authentication gave. */
    readonly uia_results: JsonObject;
    /** The body of the request. */
    readonly params: JsonObject;
  };
  /**
   * Synapse is about to run an iteration of a background update.
   *
   * - **Answer**: `UpdateDuration`. How long one iteration of a background update should take, in milliseconds.
   *   Or [milliseconds, function]: the function runs after the iteration. Or null for Synapse's own duration
   *   and pause.
   * - **Next module**: none. Synapse takes the three callbacks of this category from one module only.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.49.0. A Python module registers it with `register_background_update_controller_callbacks`.
   * See
   * https://element-hq.github.io/synapse/latest/modules/background_update_controller_callbacks.html#on_update.
   * @example
   * ```ts fragment callbacks
   * on_update({ update_name }, { log }) {
   *   return [50, () => log.debug({ update_name }, "an iteration is done")];
   * },
   * ```
   */
  readonly on_update: {
    readonly update_name: string;
    readonly database_name: string;
    /** Whether the update runs in a single iteration. */
    readonly one_shot: boolean;
  };
  /**
   * How many rows does the first iteration of a background update take?
   *
   * - **Answer**: `BatchSize`. A number of rows, or null for Synapse's own.
   * - **Next module**: none. Synapse takes the three callbacks of this category from one module only.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.49.0. A Python module registers it with `register_background_update_controller_callbacks`.
   * See
   * https://element-hq.github.io/synapse/latest/modules/background_update_controller_callbacks.html#default_batch_size.
   * @example
   * ```ts fragment callbacks
   * default_batch_size: () => 100,
   * ```
   */
  readonly default_batch_size: {
    readonly update_name: string;
    readonly database_name: string;
  };
  /**
   * How many rows does an iteration of a background update take at least?
   *
   * - **Answer**: `BatchSize`. A number of rows, or null for Synapse's own.
   * - **Next module**: none. Synapse takes the three callbacks of this category from one module only.
   * - **Without an answer**: `allow`. It cannot be changed.
   *
   * Since Synapse 1.49.0. A Python module registers it with `register_background_update_controller_callbacks`.
   * See
   * https://element-hq.github.io/synapse/latest/modules/background_update_controller_callbacks.html#min_batch_size.
   * @example
   * ```ts fragment callbacks
   * min_batch_size: () => 10,
   * ```
   */
  readonly min_batch_size: {
    readonly update_name: string;
    readonly database_name: string;
  };
  /**
   * A user's account data has changed.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.57.0. A Python module registers it with `register_account_data_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/account_data_callbacks.html#on_account_data_updated.
   * @example
   * ```ts fragment callbacks
   * on_account_data_updated: {
   *   match: { account_data_type: ["m.ignored_user_list"] },
   *   handler({ user_id }, { log }) {
   *     log.info({ user_id }, "a user ignores other users");
   *   },
   * },
   * ```
   */
  readonly on_account_data_updated: {
    /** A full user id, `@localpart:server`. */
    readonly user_id: UserId;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. Null for global data. */
    readonly room_id: RoomId | null;
    readonly account_data_type: string;
    /** The new content. */
    readonly content: JsonObject;
  };
  /**
   * Synapse is about to show an event to a client. It asks for every event of every answer, and does not say
   * who reads it. Use `fields`, which needs no call, or `match` and `ttl`.
   *
   * - **Answer**: `JsonInputObject`. Fields to add. Synapse merges the answers of all modules; a later answer
   *   overwrites an earlier one.
   * - **Next module**: always.
   * - **Without an answer**: `allow`. It cannot be changed.
   * - **After a throw**: the policy answers, since an exception would fail the whole request.
   *
   * Since Synapse 1.96.0. A Python module registers it with
   * `register_add_extra_fields_to_unsigned_client_event_callbacks`. See
   * https://element-hq.github.io/synapse/latest/modules/add_extra_fields_to_client_events_unsigned.html.
   * @example
   * ```ts fragment callbacks
   * add_field_to_unsigned_callback: {
   *   match: { type: ["m.room.member"] },
   *   fields: { "org.example.name": { $event: "content.displayname" } },
   * },
   * ```
   */
  readonly add_field_to_unsigned_callback: {
    /** An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`. */
    readonly event: Event;
  };
  /**
   * Another server has received events from this one. A Synapse with this callback does not cache its answers
   * to `/state`.
   *
   * - **Answer**: Nothing. A returned value is ignored.
   * - **Next module**: always.
   * - **Without an answer**: the notification is lost.
   *
   * Since Synapse 1.158.0. A Python module registers it with `register_federation_callbacks`. Synapse's
   * documentation does not describe it.
   * @example
   * ```ts fragment callbacks
   * on_event_delivered_over_federation({ event }, { log }) {
   *   log.debug({ server: event.server_name, events: event.event_ids.length }, "events were delivered");
   * },
   * ```
   */
  readonly on_event_delivered_over_federation: {
    /** The ids of events that another server has received from this one; there may be many thousands. */
    readonly event: FederationEventDeliveryEvent;
  };
}

/** The answers of each callback. */
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
  readonly on_legacy_admin_request: JsonInput;
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
  readonly add_field_to_unsigned_callback: JsonInputObject;
  readonly on_event_delivered_over_federation: void;
}

// Generated from schemas/ by `npm run generate`: do not edit.
// The ModuleApi.
import type {
  RoomToCreate,
  Templates,
} from "./callbacks.js";
import type {
  JsonInput,
  JsonInputObject,
  JsonObject,
  JsonValue,
} from "./json.js";
import type {
  Id,
} from "./ids.js";
import type {
  RunDbInteraction,
  StoreCompareAndSet,
  StoreDelete,
  StoreGet,
  StoreIncrement,
  StoreList,
  StoreSet,
  StoreUpdate,
} from "./storage-types.js";
import type {
  CreatedRoom,
  DeviceFlags,
  DeviceId,
  DeviceTokens,
  Event,
  Events,
  HttpHeaders,
  HttpResponse,
  Medium,
  Membership,
  Milliseconds,
  PresenceUpdates,
  ProfileInfo,
  PushActions,
  QueryArgs,
  Requester,
  RoomAlias,
  RoomAliasLookup,
  RoomId,
  ServerName,
  ServerNames,
  ServiceUsers,
  StateFilter,
  Texts,
  Threepids,
  UserAndToken,
  UserId,
  UserInfo,
  UserIpsAndAgents,
} from "./wire-types.js";

/**
 * Synapse's ModuleApi, by its names. Methods take their parameters by name, in one object. All return a
 * promise, except for those that Node answers by itself.
 *
 * A call throws a SynapseError if Synapse refuses it, an HttpResponseException if another server answers with
 * an error, a DatabaseError if SQL fails, a TypeError if parameters do not fit, and an ApiError otherwise.
 *
 * In Synapse: `synapse.module_api.ModuleApi`.
 * @example
 * ```ts fragment handler
 * if (api.is_mine({ id: user_id }) && !(await api.is_user_admin({ user_id }))) return Codes.FORBIDDEN;
 * ```
 */
export interface Api {
  /**
   * The name of this homeserver.
   *
   * In Synapse: `ModuleApi.server_name`.
   * @example
   * ```ts fragment handler
   * const bot = `@bot:${api.server_name}`;
   * ```
   */
  readonly server_name: ServerName;
  /**
   * The name of this worker; null in the main process.
   *
   * In Synapse: `ModuleApi.worker_name`.
   * @example
   * ```ts fragment handler
   * log.info({ worker: api.worker_name }, "loaded");
   * ```
   */
  readonly worker_name: string | null;
  /**
   * The app of this worker; null in the main process.
   *
   * In Synapse: `ModuleApi.worker_app`.
   * @example
   * ```ts fragment handler
   * const isMainProcess = api.worker_app === null;
   * ```
   */
  readonly worker_app: string | null;
  /**
   * The address that clients use, with a slash at its end.
   *
   * In Synapse: `ModuleApi.public_baseurl`.
   * @example
   * ```ts fragment handler
   * const link = `${api.public_baseurl}_synapse/client/welcome`;
   * ```
   */
  readonly public_baseurl: string;
  /**
   * The name of the application in mails.
   *
   * In Synapse: `ModuleApi.email_app_name`.
   * @example
   * ```ts fragment handler
   * const subject = `Welcome to ${api.email_app_name}`;
   * ```
   */
  readonly email_app_name: string;
  /**
   * The folder with the admin's own templates; null if there is none.
   *
   * In Synapse: `ModuleApi.custom_template_dir`.
   * @example
   * ```ts fragment handler
   * const hasOwnTemplates = api.custom_template_dir !== null;
   * ```
   */
  readonly custom_template_dir: string | null;
  /**
   * Tells whether a user id, or another id with a domain, belongs to this homeserver.
   *
   * In Synapse: `ModuleApi.is_mine`.
   * @example
   * ```ts fragment handler
   * const isLocal = api.is_mine({ id: user_id });
   * ```
   */
  is_mine(params: { id: string }): boolean;
  /**
   * Makes a full user id from a localpart. A string that begins with `@` stays as it is.
   *
   * Result: A full user id, `@localpart:server`.
   *
   * In Synapse: `ModuleApi.get_qualified_user_id`.
   * @example
   * ```ts fragment handler
   * const bot = api.get_qualified_user_id({ username: "bot" });
   * ```
   */
  get_qualified_user_id(params: { username: string }): UserId;
  /**
   * Tells whether this process of Synapse runs background tasks.
   *
   * In Synapse: `ModuleApi.should_run_background_tasks`.
   * @example
   * ```ts fragment handler
   * if (api.should_run_background_tasks()) setInterval(() => log.info("in one process only"), 3_600_000);
   * ```
   */
  should_run_background_tasks(): boolean;
  /**
   * Gives the current time.
   *
   * Result: A time or a duration in milliseconds.
   *
   * In Synapse: `ModuleApi.get_current_time_msec`.
   * @example
   * ```ts fragment handler
   * const age = api.get_current_time_msec() - (event.origin_server_ts ?? 0);
   * ```
   */
  get_current_time_msec(): Milliseconds;
  /**
   * Gives what Synapse knows about a local account; null if there is none.
   *
   * Result: An account of this server. `creation_ts` is in seconds.
   *
   * Since Synapse 1.41.0. In Synapse: `ModuleApi.get_userinfo_by_id`.
   * @example
   * ```ts fragment handler
   * const info = await api.get_userinfo_by_id({ user_id });
   * const isNew = info !== null && Date.now() / 1000 - info.creation_ts < 86_400;
   * ```
   */
  get_userinfo_by_id<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
  }): Promise<UserInfo | null>;
  /**
   * Finds who makes a web request, by its access token. Throws a SynapseError if the request has no valid
   * token.
   *
   * Result: Who makes a request, and how they are authenticated.
   *
   * Since Synapse 1.39.0. In Synapse: `ModuleApi.get_user_by_req`.
   * @example
   * ```ts fragment handler
   * const requester = await api.get_user_by_req({ req: request });
   * log.info({ user_id: requester.user_id }, "made a request");
   * ```
   */
  get_user_by_req(params: {
    /** The request that a web handler got. */
    req: Request;
    /** Whether guests may make the request. */
    allow_guest?: boolean | undefined;
    /** Whether users with an expired account may make it. */
    allow_expired?: boolean | undefined;
  }): Promise<Requester>;
  /**
   * Tells whether a user is a server admin.
   *
   * Since Synapse 1.39.0. In Synapse: `ModuleApi.is_user_admin`.
   * @example
   * ```ts fragment handler
   * if (await api.is_user_admin({ user_id })) return NOT_SPAM;
   * ```
   */
  is_user_admin<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
  }): Promise<boolean>;
  /**
   * Gives a local user's profile. Both fields are null for an unknown user.
   *
   * Result: A user's profile.
   *
   * Since Synapse 1.39.0. In Synapse: `ModuleApi.get_profile_for_user`.
   * @example
   * ```ts fragment handler
   * const { display_name } = await api.get_profile_for_user({ localpart: "alice" });
   * ```
   */
  get_profile_for_user(params: { localpart: string }): Promise<ProfileInfo>;
  /**
   * Gives a local user's third-party identifiers.
   *
   * Result: A list of third-party identifiers.
   *
   * Since Synapse 1.39.0. In Synapse: `ModuleApi.get_threepids_for_user`.
   * @example
   * ```ts fragment handler
   * const threepids = await api.get_threepids_for_user({ user_id });
   * const emails = threepids.filter(({ medium }) => medium === "email");
   * ```
   */
  get_threepids_for_user<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
  }): Promise<Threepids>;
  /**
   * Gives the id of a local user as it was registered; null if there is none.
   *
   * Result: A full user id, `@localpart:server`.
   *
   * Since Synapse 0.25.0. In Synapse: `ModuleApi.check_user_exists`.
   * @example
   * ```ts fragment handler
   * const exists = (await api.check_user_exists({ user_id })) !== null;
   * ```
   */
  check_user_exists<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
  }): Promise<UserId | null>;
  /**
   * Gives the current state events of a room. Without a filter, gives all of them.
   *
   * Result: A list of events.
   *
   * Since Synapse 1.47.0. In Synapse: `ModuleApi.get_room_state`.
   * @example
   * ```ts fragment handler
   * const [name] = await api.get_room_state({ room_id, event_filter: [["m.room.name", ""]] });
   * ```
   */
  get_room_state<GivenRoomId extends string>(params: {
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    room_id: Id<GivenRoomId, RoomId>;
    /** A list of [type, state_key]. */
    event_filter?: StateFilter | undefined;
  }): Promise<Events>;
  /**
   * Gives some of the current state events of a room.
   *
   * Result: A list of events.
   *
   * Since Synapse 1.22.0. In Synapse: `ModuleApi.get_state_events_in_room`.
   * @example
   * ```ts fragment handler
   * const members = await api.get_state_events_in_room({ room_id, types: [["m.room.member", null]] });
   * ```
   */
  get_state_events_in_room<GivenRoomId extends string>(params: {
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    room_id: Id<GivenRoomId, RoomId>;
    /** A list of [type, state_key]. */
    types: StateFilter;
  }): Promise<Events>;
  /**
   * Finds the room that an alias points to.
   *
   * Result: [room id, servers that know the room].
   *
   * Since Synapse 1.65.0. In Synapse: `ModuleApi.lookup_room_alias`.
   * @example
   * ```ts fragment handler
   * const [id, servers] = await api.lookup_room_alias({ room_alias: "#lobby:example.org" });
   * ```
   */
  lookup_room_alias<GivenRoomAlias extends string>(params: {
    /** A room alias, `#localpart:server`. */
    room_alias: Id<GivenRoomAlias, RoomAlias>;
  }): Promise<RoomAliasLookup>;
  /** In Synapse: `AccountDataManager`. */
  readonly account_data_manager: {
    /**
     * Gives a local user's global account data of one type; null if there is none.
     *
     * Since Synapse 1.57.0. In Synapse: `AccountDataManager.get_global`.
     * @example
     * ```ts fragment handler
     * const ignored = await api.account_data_manager.get_global({ user_id, data_type: "m.ignored_user_list" });
     * ```
     */
    get_global<GivenUserId extends string>(params: {
      /** A full user id, `@localpart:server`. */
      user_id: Id<GivenUserId, UserId>;
      data_type: string;
    }): Promise<JsonObject | null>;
    /**
     * Overwrites a local user's global account data of one type.
     *
     * Needs the grant `account_data_manager.put_global` or `account_data_manager`. Since Synapse 1.57.0. In
     * Synapse: `AccountDataManager.put_global`.
     * @example
     * ```ts fragment handler
     * await api.account_data_manager.put_global({ user_id, data_type: "org.example.seen", new_data: { version: 2 } });
     * ```
     */
    put_global<GivenUserId extends string>(params: {
      /** A full user id, `@localpart:server`. */
      user_id: Id<GivenUserId, UserId>;
      data_type: string;
      new_data: JsonInputObject;
    }): Promise<void>;
  };
  /** In Synapse: `PublicRoomListManager`. */
  readonly public_room_list_manager: {
    /**
     * Tells whether a room is in the public room directory.
     *
     * Since Synapse 1.22.0. In Synapse: `PublicRoomListManager.room_is_in_public_room_list`.
     * @example
     * ```ts fragment handler
     * const isPublic = await api.public_room_list_manager.room_is_in_public_room_list({ room_id });
     * ```
     */
    room_is_in_public_room_list<GivenRoomId extends string>(params: {
      /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
      room_id: Id<GivenRoomId, RoomId>;
    }): Promise<boolean>;
    /**
     * Adds a room to the public room directory. Asks no callback.
     *
     * Needs the grant `public_room_list_manager.add_room_to_public_room_list` or `public_room_list_manager`.
     * Since Synapse 1.22.0. In Synapse: `PublicRoomListManager.add_room_to_public_room_list`.
     * @example
     * ```ts fragment handler
     * await api.public_room_list_manager.add_room_to_public_room_list({ room_id });
     * ```
     */
    add_room_to_public_room_list<GivenRoomId extends string>(params: {
      /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
      room_id: Id<GivenRoomId, RoomId>;
    }): Promise<void>;
    /**
     * Removes a room from the public room directory.
     *
     * Needs the grant `public_room_list_manager.remove_room_from_public_room_list` or `public_room_list_manager`.
     * Since Synapse 1.22.0. In Synapse: `PublicRoomListManager.remove_room_from_public_room_list`.
     * @example
     * ```ts fragment handler
     * await api.public_room_list_manager.remove_room_from_public_room_list({ room_id });
     * ```
     */
    remove_room_from_public_room_list<GivenRoomId extends string>(params: {
      /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
      room_id: Id<GivenRoomId, RoomId>;
    }): Promise<void>;
  };
  /**
   * Throws a SynapseError if a localpart is taken (`M_USER_IN_USE`) or not valid (`M_INVALID_USERNAME`).
   *
   * Since Synapse 1.52.0. In Synapse: `ModuleApi.check_username`.
   * @example
   * ```ts fragment handler
   * await api.check_username({ username: "alice" });
   * ```
   */
  check_username(params: { username: string }): Promise<void>;
  /**
   * Throws an ApiError (`InvalidRuleException`) if push rule actions are not valid.
   *
   * Since Synapse 1.58.0. In Synapse: `ModuleApi.check_push_rule_actions`.
   * @example
   * ```ts fragment handler
   * await api.check_push_rule_actions({ actions: ["notify", { set_tweak: "highlight" }] });
   * ```
   */
  check_push_rule_actions(params: {
    /** The actions of a push rule, as in the Matrix specification. */
    actions: PushActions;
  }): Promise<void>;
  /**
   * Gives the addresses and user agents that a local user was seen with.
   *
   * Result: The addresses and user agents of a user.
   *
   * Since Synapse 1.44.0. In Synapse: `ModuleApi.get_user_ip_and_agents`.
   * @example
   * ```ts fragment handler
   * const seen = await api.get_user_ip_and_agents({ user_id, since_ts: Date.now() - 86_400_000 });
   * ```
   */
  get_user_ip_and_agents<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** In milliseconds, although Synapse's documentation says seconds. */
    since_ts?: number | undefined;
  }): Promise<UserIpsAndAgents>;
  /**
   * Gives the monthly active users.
   *
   * Result: A list of [application service or `native`, user id].
   *
   * Since Synapse 1.61.0. In Synapse: `ModuleApi.get_monthly_active_users_by_service`.
   * @example
   * ```ts fragment handler
   * const users = await api.get_monthly_active_users_by_service();
   * ```
   */
  get_monthly_active_users_by_service(params?: {
    /** A time or a duration in milliseconds. */
    start_timestamp?: Milliseconds | null | undefined;
    /** A time or a duration in milliseconds. */
    end_timestamp?: Milliseconds | null | undefined;
  }): Promise<ServiceUsers>;
  /**
   * Gives a room's canonical alias; null if it has none.
   *
   * Result: A room alias, `#localpart:server`.
   *
   * Since Synapse 1.86.0. In Synapse: `ModuleApi.get_canonical_room_alias`.
   * @example
   * ```ts fragment handler
   * const alias = await api.get_canonical_room_alias({ room_id });
   * ```
   */
  get_canonical_room_alias<GivenRoomId extends string>(params: {
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    room_id: Id<GivenRoomId, RoomId>;
  }): Promise<RoomAlias | null>;
  /**
   * Loads Jinja2 templates. Synapse looks in `custom_template_directory`, then in the admin's folder, then in
   * its own. Synapse renders them.
   *
   * Result: Templates, in the order of `filenames`. `await template.render({ name: value })` gives a string.
   *
   * Since Synapse 1.39.0. In Synapse: `ModuleApi.read_templates`.
   * @example
   * ```ts fragment handler
   * const [template] = await api.read_templates({ filenames: ["welcome.html"] });
   * const html = await template?.render({ name: "Alice" });
   * ```
   */
  read_templates(params: {
    /** A list of strings. */
    filenames: Texts;
    custom_template_directory?: string | null | undefined;
  }): Promise<Templates>;
  /**
   * Sends an event as a local user. For memberships use `update_room_membership`.
   *
   * Result: An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`.
   * `room_id` is there even if the PDU lacks it. A number above 2^53 is rounded to the nearest JavaScript
   * number.
   *
   * Needs the grant `create_and_send_event_into_room`. Since Synapse 1.22.0. In Synapse:
   * `ModuleApi.create_and_send_event_into_room`.
   * @example
   * ```ts fragment handler
   * const content = { msgtype: "m.notice", body: "Hello" };
   * await api.create_and_send_event_into_room({
   *   event_dict: { type: "m.room.message", room_id, sender: "@bot:example.org", content },
   * });
   * ```
   */
  create_and_send_event_into_room(params: {
    /** `type`, `room_id`, `sender` and `content`; for state also `state_key`. */
    event_dict: JsonInputObject;
  }): Promise<Event>;
  /**
   * Changes a membership. In a callback about a membership of the same room, start it without awaiting it:
   * awaited, it fails with `membership_locked`.
   *
   * Result: An event: the fields of its PDU, and `event_id`, `room_id`, `room_version` and `internal_metadata`.
   * `room_id` is there even if the PDU lacks it. A number above 2^53 is rounded to the nearest JavaScript
   * number.
   *
   * Needs the grant `update_room_membership`. Since Synapse 1.46.0. In Synapse:
   * `ModuleApi.update_room_membership`.
   * @example
   * ```ts fragment handler
   * await api.update_room_membership({ sender: user_id, target: user_id, room_id, new_membership: "leave" });
   * ```
   */
  update_room_membership<GivenSender extends string, GivenTarget extends string, GivenRoomId extends string>(params: {
    /** A full user id, `@localpart:server`. Who makes the change. */
    sender: Id<GivenSender, UserId>;
    /** A full user id, `@localpart:server`. Whose membership changes. */
    target: Id<GivenTarget, UserId>;
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    room_id: Id<GivenRoomId, RoomId>;
    /** What a user is in a room. */
    new_membership: Membership;
    /** More fields for the content of the event. */
    content?: JsonInputObject | undefined;
    /** A list of server names. Servers to join through. */
    remote_room_hosts?: ServerNames | undefined;
  }): Promise<Event>;
  /**
   * Creates a room as a local user.
   *
   * Result: [room id, room alias or null].
   *
   * Needs the grant `create_room`. Since Synapse 1.65.0. In Synapse: `ModuleApi.create_room`.
   * @example
   * ```ts fragment handler
   * const [id] = await api.create_room({
   *   user_id: "@bot:example.org",
   *   config: { preset: "private_chat", invite: [user_id] },
   * });
   * ```
   */
  create_room<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** The body of a createRoom request. */
    config: RoomToCreate;
    /** Whether the user's rate limit applies; true by default. */
    ratelimit?: boolean | undefined;
    /** `displayname` and `avatar_url` of the creator in the room. */
    creator_join_profile?: JsonInputObject | null | undefined;
  }): Promise<CreatedRoom>;
  /**
   * Sends a mail with Synapse's mail settings.
   *
   * Needs the grant `send_mail`. Since Synapse 1.39.0. In Synapse: `ModuleApi.send_mail`.
   * @example
   * ```ts fragment handler
   * await api.send_mail({
   *   recipient: "alice@example.org",
   *   subject: "Welcome",
   *   html: "<p>Hello</p>",
   *   text: "Hello",
   * });
   * ```
   */
  send_mail(params: {
    recipient: string;
    subject: string;
    html: string;
    text: string;
  }): Promise<void>;
  /**
   * Registers a user and a device. Deprecated by Synapse: use `register_user` and `register_device`.
   *
   * Result: [user id, access token].
   *
   * Needs the grant `register`. Since Synapse 0.25.0. In Synapse: `ModuleApi.register`.
   * @example
   * ```ts fragment handler
   * const [id, access_token] = await api.register({ localpart: "alice" });
   * ```
   */
  register(params: {
    localpart: string;
    displayname?: string | null | undefined;
    /** A list of strings. */
    emails?: Texts | null | undefined;
  }): Promise<UserAndToken>;
  /**
   * Registers a user without a password. Email addresses count as validated.
   *
   * Result: A full user id, `@localpart:server`.
   *
   * Needs the grant `register_user`. Since Synapse 1.2.0. In Synapse: `ModuleApi.register_user`.
   * @example
   * ```ts fragment handler
   * const id = await api.register_user({ localpart: "alice", displayname: "Alice" });
   * ```
   */
  register_user(params: {
    localpart: string;
    displayname?: string | null | undefined;
    /** A list of strings. */
    emails?: Texts | null | undefined;
    admin?: boolean | undefined;
  }): Promise<UserId>;
  /**
   * Creates a device with an access token. Synapse does not check that the user exists.
   *
   * Result: [device id, access token, when the token expires in milliseconds or null, refresh token or null].
   *
   * Needs the grant `register_device`. Since Synapse 1.2.0. In Synapse: `ModuleApi.register_device`.
   * @example
   * ```ts fragment handler
   * const [device_id, access_token] = await api.register_device({ user_id, initial_display_name: "Bot" });
   * ```
   */
  register_device<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** The id of a user's device. */
    device_id?: DeviceId | null | undefined;
    initial_display_name?: string | null | undefined;
  }): Promise<DeviceTokens>;
  /**
   * Records the id that a user has at an SSO provider. Throws an ApiError (`ExternalIDReuseException`) if it is
   * recorded for another user.
   *
   * Needs the grant `record_user_external_id`. Since Synapse 1.9.0. In Synapse:
   * `ModuleApi.record_user_external_id`.
   * @example
   * ```ts fragment handler
   * await api.record_user_external_id({
   *   auth_provider_id: "oidc-example",
   *   remote_user_id: "4711",
   *   registered_user_id: user_id,
   * });
   * ```
   */
  record_user_external_id<GivenRegisteredUserId extends string>(params: {
    auth_provider_id: string;
    remote_user_id: string;
    /** A full user id, `@localpart:server`. */
    registered_user_id: Id<GivenRegisteredUserId, UserId>;
  }): Promise<void>;
  /**
   * Creates a token for a login of the type `m.login.token`. Synapse does not check that the user exists.
   *
   * Needs the grant `create_login_token`. Since Synapse 1.69.0. In Synapse: `ModuleApi.create_login_token`.
   * @example
   * ```ts fragment handler
   * const token = await api.create_login_token({ user_id, duration_in_ms: 60_000 });
   * ```
   */
  create_login_token<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** A time or a duration in milliseconds. */
    duration_in_ms?: Milliseconds | undefined;
    auth_provider_id?: string | null | undefined;
    auth_provider_session_id?: string | null | undefined;
  }): Promise<string>;
  /**
   * Logs a device out by its access token. It works even in versions of Synapse whose own method fails.
   *
   * Needs the grant `invalidate_access_token`. Since Synapse 0.25.0. In Synapse:
   * `ModuleApi.invalidate_access_token`.
   * @example
   * ```ts fragment handler
   * await api.invalidate_access_token({ access_token: "syt_YWxpY2U_1" });
   * ```
   */
  invalidate_access_token(params: { access_token: string }): Promise<void>;
  /**
   * Completes an SSO login. Synapse itself answers the web request, and what the handler returns is ignored.
   *
   * Needs the grant `complete_sso_login_async`. Since Synapse 1.13.0. In Synapse:
   * `ModuleApi.complete_sso_login_async`.
   * @example
   * ```ts fragment handler
   * await api.complete_sso_login_async({
   *   registered_user_id: user_id,
   *   request,
   *   client_redirect_url: "https://app.example.org/",
   * });
   * ```
   */
  complete_sso_login_async<GivenRegisteredUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    registered_user_id: Id<GivenRegisteredUserId, UserId>;
    /** The request that a web handler got. */
    request: Request;
    client_redirect_url: string;
    /** Whether the user has just been registered. */
    new_user?: boolean | undefined;
    auth_provider_id?: string | undefined;
  }): Promise<void>;
  /**
   * Makes a local user a server admin, or takes that away.
   *
   * Needs the grant `set_user_admin`. Since Synapse 1.56.0. In Synapse: `ModuleApi.set_user_admin`.
   * @example
   * ```ts fragment handler
   * await api.set_user_admin({ user_id, admin: false });
   * ```
   */
  set_user_admin<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    admin: boolean;
  }): Promise<void>;
  /**
   * Changes a local user's display name. Leave out `deactivation`: Synapse is about to remove it.
   *
   * Needs the grant `set_displayname`. Since Synapse 1.76.0. In Synapse: `ModuleApi.set_displayname`.
   * @example
   * ```ts fragment handler
   * await api.set_displayname({ user_id, new_displayname: "Alice" });
   * ```
   */
  set_displayname<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    new_displayname: string;
    deactivation?: boolean | undefined;
  }): Promise<void>;
  /**
   * Records that an identity server knows a user by a third-party identifier.
   *
   * Needs the grant `store_remote_3pid_association`. Since Synapse 1.56.0. In Synapse:
   * `ModuleApi.store_remote_3pid_association`.
   * @example
   * ```ts fragment handler
   * await api.store_remote_3pid_association({
   *   user_id,
   *   medium: "email",
   *   address: "alice@example.org",
   *   id_server: "id.example.org",
   * });
   * ```
   */
  store_remote_3pid_association<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** The kind of a third-party identifier: `email` or `msisdn` (a phone number). */
    medium: Medium;
    address: string;
    /** The name of a homeserver, with its port if it has one. */
    id_server: ServerName;
  }): Promise<void>;
  /**
   * Begins to remove all users from a room and to purge it. Does not wait until that is done.
   *
   * Needs the grant `delete_room`. Since Synapse 1.89.0. In Synapse: `ModuleApi.delete_room`.
   * @example
   * ```ts fragment handler
   * await api.delete_room({ room_id });
   * ```
   */
  delete_room<GivenRoomId extends string>(params: {
    /** A room id: `!opaque:server`, or `!hash` from room version 12 on. */
    room_id: Id<GivenRoomId, RoomId>;
  }): Promise<void>;
  /**
   * Sends users the presence of all online users that they may see.
   *
   * Needs the grant `send_local_online_presence_to`. Works only in the process that writes presence, by default
   * the main one (`stream_writers`). Since Synapse 1.32.0. In Synapse:
   * `ModuleApi.send_local_online_presence_to`.
   * @example
   * ```ts fragment handler
   * await api.send_local_online_presence_to({ users: [user_id] });
   * ```
   */
  send_local_online_presence_to<GivenUsers extends string>(params: {
    /** A list of user ids. */
    users: readonly Id<GivenUsers, UserId>[];
  }): Promise<void>;
  /**
   * Changes the presence of users.
   *
   * Needs the grant `set_presence_for_users`. Works only in the process that writes presence, by default the
   * main one (`stream_writers`). Since Synapse 1.96.0. In Synapse: `ModuleApi.set_presence_for_users`.
   * @example
   * ```ts fragment handler
   * await api.set_presence_for_users({ users: { [user_id]: ["online", "at work"] } });
   * ```
   */
  set_presence_for_users(params: {
    /** For each user id, [presence, status message or null]. */
    users: PresenceUpdates;
  }): Promise<void>;
  /**
   * Sends a push notification to one of a user's devices, or to all if `device_id` is null.
   *
   * Result: For each device id, whether the notification reached it.
   *
   * Needs the grant `send_http_push_notification`. Works only in the process that sends the user's pushes, by
   * default the main one (`pusher_instances`). Since Synapse 1.82.0. In Synapse:
   * `ModuleApi.send_http_push_notification`.
   * @example
   * ```ts fragment handler
   * const reached = await api.send_http_push_notification({
   *   user_id,
   *   device_id: null,
   *   content: { event_id: event.event_id },
   * });
   * ```
   */
  send_http_push_notification<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** The id of a user's device. */
    device_id: DeviceId | null;
    content: JsonInputObject;
    tweaks?: JsonInputObject | null | undefined;
    default_payload?: JsonInputObject | null | undefined;
  }): Promise<DeviceFlags>;
  /**
   * Changes the actions of a local user's push rule. Throws an ApiError (`RuleNotFoundException`,
   * `InvalidRuleException`).
   *
   * Needs the grant `set_push_rule_action`. Works only in the main process. Since Synapse 1.58.0. In Synapse:
   * `ModuleApi.set_push_rule_action`.
   * @example
   * ```ts fragment handler
   * await api.set_push_rule_action({
   *   user_id,
   *   scope: "global",
   *   kind: "override",
   *   rule_id: ".m.rule.suppress_notices",
   *   actions: [],
   * });
   * ```
   */
  set_push_rule_action<GivenUserId extends string>(params: {
    /** A full user id, `@localpart:server`. */
    user_id: Id<GivenUserId, UserId>;
    /** `global`. */
    scope: string;
    kind: string;
    rule_id: string;
    /** The actions of a push rule, as in the Matrix specification. */
    actions: PushActions;
  }): Promise<void>;
  /** In Synapse: `SimpleHttpClient`. */
  readonly http_client: {
    /**
     * GETs JSON. Throws an HttpResponseException unless the status is 2xx.
     *
     * Needs the grant `http_client.get_json` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.get_json`.
     * @example
     * ```ts fragment handler
     * const list = await api.http_client.get_json({ uri: "https://lists.example.org/blocked.json" });
     * ```
     */
    get_json(params: {
      uri: string;
      /** The fields of a query string or a form, each with one value or a list. */
      args?: QueryArgs | null | undefined;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /**
     * GETs bytes. Throws an HttpResponseException unless the status is 2xx.
     *
     * Needs the grant `http_client.get_raw` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.get_raw`.
     * @example
     * ```ts fragment handler
     * const bytes = await api.http_client.get_raw({ uri: "https://lists.example.org/blocked.txt" });
     * ```
     */
    get_raw(params: {
      uri: string;
      /** The fields of a query string or a form, each with one value or a list. */
      args?: QueryArgs | null | undefined;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<Uint8Array>;
    /**
     * POSTs JSON and gets JSON. Throws an HttpResponseException unless the status is 2xx.
     *
     * Needs the grant `http_client.post_json_get_json` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.post_json_get_json`.
     * @example
     * ```ts fragment handler
     * const verdict = await api.http_client.post_json_get_json({
     *   uri: "https://check.example.org/",
     *   post_json: { user_id },
     * });
     * ```
     */
    post_json_get_json(params: {
      uri: string;
      post_json: JsonInput;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /**
     * POSTs a form and gets JSON. Throws an HttpResponseException unless the status is 2xx.
     *
     * Needs the grant `http_client.post_urlencoded_get_json` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.post_urlencoded_get_json`.
     * @example
     * ```ts fragment handler
     * const token = await api.http_client.post_urlencoded_get_json({
     *   uri: "https://login.example.org/token",
     *   args: { grant_type: "client_credentials" },
     * });
     * ```
     */
    post_urlencoded_get_json(params: {
      uri: string;
      /** The fields of a query string or a form, each with one value or a list. */
      args?: QueryArgs | null | undefined;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /**
     * PUTs JSON and gets JSON. Throws an HttpResponseException unless the status is 2xx.
     *
     * Needs the grant `http_client.put_json` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.put_json`.
     * @example
     * ```ts fragment handler
     * await api.http_client.put_json({ uri: "https://example.org/users/1", json_body: { user_id } });
     * ```
     */
    put_json(params: {
      uri: string;
      json_body: JsonInput;
      /** The fields of a query string or a form, each with one value or a list. */
      args?: QueryArgs | null | undefined;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /**
     * Makes any request, and gives the whole answer whatever its status.
     *
     * Result: The answer of another server. Header names are in lower case.
     *
     * Needs the grant `http_client.request` or `http_client`. Since Synapse 1.22.0. In Synapse:
     * `SimpleHttpClient.request`.
     * @example
     * ```ts fragment handler
     * const { code } = await api.http_client.request({ method: "DELETE", uri: "https://example.org/users/1" });
     * ```
     */
    request(params: {
      method: string;
      uri: string;
      /** The body. */
      data?: Uint8Array | null | undefined;
      /** Headers by name, each with a list of values. */
      headers?: HttpHeaders | null | undefined;
    }): Promise<HttpResponse>;
  };
  /**
   * Runs SQL in Synapse's database, in one transaction: a list of statements, or on PostgreSQL a function that
   * runs them.
   *
   * Needs the grant `run_db_interaction`. The bridge adds this method to the ModuleApi.
   * @example
   * ```ts fragment handler
   * const [result] = await api.run_db_interaction({
   *   desc: "count_rooms",
   *   statements: [{ sql: "SELECT count(*) AS rooms FROM rooms WHERE creator = ?", params: [user_id] }],
   * });
   * ```
   */
  readonly run_db_interaction: RunDbInteraction;
  /**
   * Sends a value to this module in every process of Synapse that runs now, this one too: its handler in
   * `broadcasts` gets it, at least once. What must not be lost belongs in `api.store`.
   *
   * Needs the grant `broadcast`. The bridge adds this method to the ModuleApi.
   * @example
   * ```ts fragment handler
   * await api.broadcast({ topic: "forget", value: { user_id } });
   * ```
   */
  broadcast(params: {
    /** One that the module has in `broadcasts`. */
    topic: string;
    /** With the topic at most 4 KiB of JSON. It stays in the database for a week: no secrets. */
    value: JsonInput;
  }): Promise<void>;
  /**
   * Keys and values of this module in Synapse's database, which all processes of Synapse share. A value is any
   * JSON.
   */
  readonly store: {
    /**
     * Gives the value of a key; undefined if there is none.
     *
     * The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const invites = (await api.store.get<number>({ key: `invites/${user_id}` })) ?? 0;
     * ```
     */
    readonly get: StoreGet;
    /**
     * Gives entries in the order of their keys: those with `prefix`, after the key `after`, at most `limit` of
     * them (100 by default, 500 at most).
     *
     * The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const entries = await api.store.list<number>({ prefix: "invites/", limit: 500 });
     * ```
     */
    readonly list: StoreList;
    /**
     * Sets the value of a key, which expires after `ttl`.
     *
     * Needs the grant `store`. The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * await api.store.set({ key: `invites/${user_id}`, value: 1, ttl: "1h" });
     * ```
     */
    readonly set: StoreSet;
    /**
     * Deletes a key, and tells whether it had a value.
     *
     * Needs the grant `store`. The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const hadValue = await api.store.delete({ key: `invites/${user_id}` });
     * ```
     */
    readonly delete: StoreDelete;
    /**
     * Sets a value if the present one equals `expected`, and tells whether it did. `undefined` stands for no
     * value.
     *
     * Needs the grant `store`. The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const isFirst = await api.store.compare_and_set({ key: "leader", expected: undefined, value: "worker1" });
     * ```
     */
    readonly compare_and_set: StoreCompareAndSet;
    /**
     * Adds to the number of a key, unless it would exceed `limit`. A `RateLimiter` is easier where it is about a
     * limit.
     *
     * Needs the grant `store`. The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const { value } = await api.store.increment({ key: `invites/${user_id}`, ttl: "1h" });
     * ```
     */
    readonly increment: StoreIncrement;
    /**
     * Replaces a value by what the function `update` returns, with no other write in between. Gives the new
     * value; undefined deletes it.
     *
     * Needs the grant `store`. The bridge adds this method to the ModuleApi.
     * @example
     * ```ts fragment handler
     * const invites = await api.store.update<number>({
     *   key: `invites/${user_id}`,
     *   update: (before = 0) => before + 1,
     * });
     * ```
     */
    readonly update: StoreUpdate;
  };
}

/** The methods of the api that need a grant, each with the grants of which one is enough. */
export interface ApiWrites {
  readonly "account_data_manager.put_global": "account_data_manager.put_global" | "account_data_manager";
  readonly create_and_send_event_into_room: "create_and_send_event_into_room";
  readonly update_room_membership: "update_room_membership";
  readonly create_room: "create_room";
  readonly send_mail: "send_mail";
  readonly register: "register";
  readonly register_user: "register_user";
  readonly register_device: "register_device";
  readonly record_user_external_id: "record_user_external_id";
  readonly create_login_token: "create_login_token";
  readonly invalidate_access_token: "invalidate_access_token";
  readonly complete_sso_login_async: "complete_sso_login_async";
  readonly set_user_admin: "set_user_admin";
  readonly set_displayname: "set_displayname";
  readonly store_remote_3pid_association: "store_remote_3pid_association";
  readonly delete_room: "delete_room";
  readonly "public_room_list_manager.add_room_to_public_room_list": "public_room_list_manager.add_room_to_public_room_list" | "public_room_list_manager";
  readonly "public_room_list_manager.remove_room_from_public_room_list": "public_room_list_manager.remove_room_from_public_room_list" | "public_room_list_manager";
  readonly send_local_online_presence_to: "send_local_online_presence_to";
  readonly set_presence_for_users: "set_presence_for_users";
  readonly send_http_push_notification: "send_http_push_notification";
  readonly set_push_rule_action: "set_push_rule_action";
  readonly "http_client.get_json": "http_client.get_json" | "http_client";
  readonly "http_client.get_raw": "http_client.get_raw" | "http_client";
  readonly "http_client.post_json_get_json": "http_client.post_json_get_json" | "http_client";
  readonly "http_client.post_urlencoded_get_json": "http_client.post_urlencoded_get_json" | "http_client";
  readonly "http_client.put_json": "http_client.put_json" | "http_client";
  readonly "http_client.request": "http_client.request" | "http_client";
  readonly run_db_interaction: "run_db_interaction";
  readonly broadcast: "broadcast";
  readonly "store.set": "store";
  readonly "store.delete": "store";
  readonly "store.compare_and_set": "store";
  readonly "store.increment": "store";
  readonly "store.update": "store";
}

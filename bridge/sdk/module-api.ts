// Generated from schemas/ by `npm run generate`: do not edit.
// The ModuleApi.
import type {
  Templates,
} from "./callbacks.js";
import type {
  JsonObject,
  JsonValue,
} from "./json.js";
import type {
  RunDbInteraction,
  StoreCompareAndSet,
  StoreDelete,
  StoreGet,
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
  UserIds,
  UserInfo,
  UserIpsAndAgents,
} from "./wire-types.js";

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
  /** The name of the application in mails. */
  readonly email_app_name: string;
  /** The folder with the admin's own templates; null if there is none. */
  readonly custom_template_dir: string | null;
  /** Tells whether a user id, or another id with a domain, belongs to this homeserver. */
  is_mine(params: { id: string }): boolean;
  /** Makes a full user id from a localpart. A string that begins with `@` stays as it is. */
  get_qualified_user_id(params: { username: string }): UserId;
  /** Tells whether this process of Synapse runs background tasks. */
  should_run_background_tasks(): boolean;
  /** Gives the current time. */
  get_current_time_msec(): Milliseconds;
  /** Gives what Synapse knows about a local account; null if there is none. */
  get_userinfo_by_id(params: { user_id: UserId }): Promise<UserInfo | null>;
  /** Finds who makes a web request, by its access token. Throws a SynapseError if the request has no valid token. */
  get_user_by_req(params: {
    req: Request;
    allow_guest?: boolean | undefined;
    allow_expired?: boolean | undefined;
  }): Promise<Requester>;
  /** Tells whether a user is a server admin. */
  is_user_admin(params: { user_id: UserId }): Promise<boolean>;
  /** Gives a local user's profile. Both fields are null for an unknown user. */
  get_profile_for_user(params: { localpart: string }): Promise<ProfileInfo>;
  /** Gives a local user's third-party identifiers. */
  get_threepids_for_user(params: { user_id: UserId }): Promise<Threepids>;
  /** Gives the id of a local user as it was registered; null if there is none. */
  check_user_exists(params: { user_id: UserId }): Promise<UserId | null>;
  /** Gives the current state events of a room. Without a filter, gives all of them. */
  get_room_state(params: { room_id: RoomId; event_filter?: StateFilter | undefined }): Promise<Events>;
  /** Gives some of the current state events of a room. */
  get_state_events_in_room(params: { room_id: RoomId; types: StateFilter }): Promise<Events>;
  /** Finds the room that an alias points to. */
  lookup_room_alias(params: { room_alias: RoomAlias }): Promise<RoomAliasLookup>;
  readonly account_data_manager: {
    /** Gives a local user's global account data of one type; null if there is none. */
    get_global(params: { user_id: UserId; data_type: string }): Promise<JsonObject | null>;
    /** Overwrites a local user's global account data of one type. Needs a grant. */
    put_global(params: { user_id: UserId; data_type: string; new_data: JsonObject }): Promise<void>;
  };
  readonly public_room_list_manager: {
    /** Tells whether a room is in the public room directory. */
    room_is_in_public_room_list(params: { room_id: RoomId }): Promise<boolean>;
    /** Adds a room to the public room directory. Asks no callback. Needs a grant. */
    add_room_to_public_room_list(params: { room_id: RoomId }): Promise<void>;
    /** Removes a room from the public room directory. Needs a grant. */
    remove_room_from_public_room_list(params: { room_id: RoomId }): Promise<void>;
  };
  /** Throws a SynapseError if a localpart is taken (`M_USER_IN_USE`) or not valid (`M_INVALID_USERNAME`). */
  check_username(params: { username: string }): Promise<void>;
  /** Throws an ApiError (`InvalidRuleException`) if push rule actions are not valid. */
  check_push_rule_actions(params: { actions: PushActions }): Promise<void>;
  /** Gives the addresses and user agents that a local user was seen with. */
  get_user_ip_and_agents(params: {
    user_id: UserId;
    since_ts?: number | undefined;
  }): Promise<UserIpsAndAgents>;
  /** Gives the monthly active users. */
  get_monthly_active_users_by_service(params?: {
    start_timestamp?: Milliseconds | null | undefined;
    end_timestamp?: Milliseconds | null | undefined;
  }): Promise<ServiceUsers>;
  /** Gives a room's canonical alias; null if it has none. */
  get_canonical_room_alias(params: { room_id: RoomId }): Promise<RoomAlias | null>;
  /** Loads Jinja2 templates. Synapse looks in `custom_template_directory`, then in the admin's folder, then in its own. Synapse renders them. */
  read_templates(params: {
    filenames: Texts;
    custom_template_directory?: string | null | undefined;
  }): Promise<Templates>;
  /** Sends an event as a local user. For memberships use `update_room_membership`. Needs a grant. */
  create_and_send_event_into_room(params: { event_dict: JsonObject }): Promise<Event>;
  /** Changes a membership. In a callback about a membership of the same room, start it without awaiting it: awaited, it fails with `membership_locked`. Needs a grant. */
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
  /** Registers a user and a device. Deprecated by Synapse: use `register_user` and `register_device`. Needs a grant. */
  register(params: {
    localpart: string;
    displayname?: string | null | undefined;
    emails?: Texts | null | undefined;
  }): Promise<UserAndToken>;
  /** Registers a user without a password. Email addresses count as validated. Needs a grant. */
  register_user(params: {
    localpart: string;
    displayname?: string | null | undefined;
    emails?: Texts | null | undefined;
    admin?: boolean | undefined;
  }): Promise<UserId>;
  /** Creates a device with an access token. Synapse does not check that the user exists. Needs a grant. */
  register_device(params: {
    user_id: UserId;
    device_id?: DeviceId | null | undefined;
    initial_display_name?: string | null | undefined;
  }): Promise<DeviceTokens>;
  /** Records the id that a user has at an SSO provider. Throws an ApiError (`ExternalIDReuseException`) if it is recorded for another user. Needs a grant. */
  record_user_external_id(params: {
    auth_provider_id: string;
    remote_user_id: string;
    registered_user_id: UserId;
  }): Promise<void>;
  /** Creates a token for a login of the type `m.login.token`. Synapse does not check that the user exists. Needs a grant. */
  create_login_token(params: {
    user_id: UserId;
    duration_in_ms?: Milliseconds | undefined;
    auth_provider_id?: string | null | undefined;
    auth_provider_session_id?: string | null | undefined;
  }): Promise<string>;
  /** Logs a device out by its access token. It works even in versions of Synapse whose own method fails. Needs a grant. */
  invalidate_access_token(params: { access_token: string }): Promise<void>;
  /** Completes an SSO login. Synapse itself answers the web request, and what the handler returns is ignored. Needs a grant. */
  complete_sso_login_async(params: {
    registered_user_id: UserId;
    request: Request;
    client_redirect_url: string;
    new_user?: boolean | undefined;
    auth_provider_id?: string | undefined;
  }): Promise<void>;
  /** Makes a local user a server admin, or takes that away. Needs a grant. */
  set_user_admin(params: { user_id: UserId; admin: boolean }): Promise<void>;
  /** Changes a local user's display name. Leave out `deactivation`: Synapse is about to remove it. Needs a grant. */
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
  /** Begins to remove all users from a room and to purge it. Does not wait until that is done. Needs a grant. */
  delete_room(params: { room_id: RoomId }): Promise<void>;
  /** Sends users the presence of all online users that they may see. Needs a grant. */
  send_local_online_presence_to(params: { users: UserIds }): Promise<void>;
  /** Changes the presence of users. Needs a grant. */
  set_presence_for_users(params: { users: PresenceUpdates }): Promise<void>;
  /** Sends a push notification to one of a user's devices, or to all if `device_id` is null. In a process that does not run the user's pushers the answer is empty. Needs a grant. */
  send_http_push_notification(params: {
    user_id: UserId;
    device_id: DeviceId | null;
    content: JsonObject;
    tweaks?: JsonObject | null | undefined;
    default_payload?: JsonObject | null | undefined;
  }): Promise<DeviceFlags>;
  /** Changes the actions of a local user's push rule. Throws an ApiError (`RuleNotFoundException`, `InvalidRuleException`). Needs a grant. */
  set_push_rule_action(params: {
    user_id: UserId;
    scope: string;
    kind: string;
    rule_id: string;
    actions: PushActions;
  }): Promise<void>;
  readonly http_client: {
    /** GETs JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    get_json(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** GETs bytes. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    get_raw(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<Uint8Array>;
    /** POSTs JSON and gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    post_json_get_json(params: {
      uri: string;
      post_json: JsonValue;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** POSTs a form and gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    post_urlencoded_get_json(params: {
      uri: string;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** PUTs JSON and gets JSON. Throws an HttpResponseException unless the status is 2xx. Needs a grant. */
    put_json(params: {
      uri: string;
      json_body: JsonValue;
      args?: QueryArgs | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<JsonValue>;
    /** Makes any request, and gives the whole answer whatever its status. Needs a grant. */
    request(params: {
      method: string;
      uri: string;
      data?: Uint8Array | null | undefined;
      headers?: HttpHeaders | null | undefined;
    }): Promise<HttpResponse>;
  };
  /** Runs SQL in Synapse's database, in one transaction: a list of statements, or on PostgreSQL a function that runs them. Needs a grant. */
  readonly run_db_interaction: RunDbInteraction;
  readonly store: {
    /** Gives the value of a key; undefined if there is none. */
    readonly get: StoreGet;
    /** Gives entries in the order of their keys: those with `prefix`, after the key `after`, at most `limit` of them (100 by default, 500 at most). */
    readonly list: StoreList;
    /** Sets the value of a key, which expires after `ttl`. Needs the grant `store`. */
    readonly set: StoreSet;
    /** Deletes a key, and tells whether it had a value. Needs the grant `store`. */
    readonly delete: StoreDelete;
    /** Sets a value if the present one equals `expected`, and tells whether it did. `undefined` stands for no value. Needs the grant `store`. */
    readonly compare_and_set: StoreCompareAndSet;
    /** Replaces a value by what the function `update` returns, with no other write in between. Gives the new value; undefined deletes it. Needs the grant `store`. */
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
  readonly "store.set": "store";
  readonly "store.delete": "store";
  readonly "store.compare_and_set": "store";
  readonly "store.update": "store";
}

// The scripted policy's handler for each callback.
import { decide } from "./decide.js";

// biome-ignore lint/suspicious/noExplicitAny: one function serves the parameters and answers of all callbacks
const ask = (callback: string) => (params: any, context: any) => decide(callback, params, context.config);

export const callbacks = {
  check_event_for_spam: ask("check_event_for_spam"),
  should_drop_federated_event: ask("should_drop_federated_event"),
  user_may_join_room: ask("user_may_join_room"),
  user_may_invite: ask("user_may_invite"),
  federated_user_may_invite: ask("federated_user_may_invite"),
  user_may_send_3pid_invite: ask("user_may_send_3pid_invite"),
  user_may_create_room: ask("user_may_create_room"),
  user_may_create_room_alias: ask("user_may_create_room_alias"),
  user_may_publish_room: ask("user_may_publish_room"),
  user_may_send_state_event: ask("user_may_send_state_event"),
  check_username_for_spam: ask("check_username_for_spam"),
  check_registration_for_spam: ask("check_registration_for_spam"),
  check_media_file_for_spam: ask("check_media_file_for_spam"),
  check_login_for_spam: ask("check_login_for_spam"),
  check_event_allowed: ask("check_event_allowed"),
  on_create_room: ask("on_create_room"),
  check_threepid_can_be_invited: ask("check_threepid_can_be_invited"),
  check_visibility_can_be_modified: ask("check_visibility_can_be_modified"),
  on_new_event: ask("on_new_event"),
  check_can_shutdown_room: ask("check_can_shutdown_room"),
  check_can_deactivate_user: ask("check_can_deactivate_user"),
  on_profile_update: ask("on_profile_update"),
  on_user_deactivation_status_changed: ask("on_user_deactivation_status_changed"),
  on_threepid_bind: ask("on_threepid_bind"),
  on_add_user_third_party_identifier: ask("on_add_user_third_party_identifier"),
  on_remove_user_third_party_identifier: ask("on_remove_user_third_party_identifier"),
  is_user_expired: ask("is_user_expired"),
  on_user_registration: ask("on_user_registration"),
  on_user_login: ask("on_user_login"),
  get_ratelimit_override_for_user: ask("get_ratelimit_override_for_user"),
  get_media_config_for_user: ask("get_media_config_for_user"),
  is_user_allowed_to_upload_media_of_size: ask("is_user_allowed_to_upload_media_of_size"),
  get_media_upload_limits_for_user: ask("get_media_upload_limits_for_user"),
  on_media_upload_limit_exceeded: ask("on_media_upload_limit_exceeded"),
  get_users_for_states: ask("get_users_for_states"),
  get_interested_users: ask("get_interested_users"),
  on_logged_out: ask("on_logged_out"),
  is_3pid_allowed: ask("is_3pid_allowed"),
  get_username_for_registration: ask("get_username_for_registration"),
  get_displayname_for_registration: ask("get_displayname_for_registration"),
  on_account_data_updated: ask("on_account_data_updated"),
  on_event_delivered_over_federation: ask("on_event_delivered_over_federation"),
};

/** Those that Synapse takes from one module only. */
export const singleCallbacks = {
  on_legacy_send_mail: ask("on_legacy_send_mail"),
  on_legacy_renew: ask("on_legacy_renew"),
  on_legacy_admin_request: ask("on_legacy_admin_request"),
};

export const configSchema = {
  type: "object",
  properties: { name: { type: "string" }, script: { type: "string" }, log: { type: "string" } },
  required: ["name", "script", "log"],
  additionalProperties: false,
} as const;

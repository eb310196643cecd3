// The scripted policy's handler for each of the 26 callbacks.
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
};

export const configSchema = {
  type: "object",
  properties: { name: { type: "string" }, script: { type: "string" }, log: { type: "string" } },
  required: ["name", "script", "log"],
  additionalProperties: false,
} as const;

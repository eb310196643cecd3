// Refuses what the user does who is named after a callback, by that callback; where there is no user, all.
import { Codes, defineModule, NOT_SPAM, RegistrationBehaviour, SynapseError } from "synapse-module-bridge";

const isJudged = (name: string, user: string) => user.startsWith(`@${name}:`);
const verdict = (name: string, user = `@${name}:`) =>
  isJudged(name, user) ? ([Codes.FORBIDDEN, { judged: name }] as const) : NOT_SPAM;
const refusal = (name: string) => new SynapseError(403, "judged", Codes.FORBIDDEN, { judged: name });

export default defineModule({
  callbacks: {
    check_event_for_spam: ({ event }) => verdict("check_event_for_spam", event.sender),
    check_event_allowed({ event }) {
      const joins = event.state_key === event.sender;
      if (isJudged("check_event_allowed", event.sender) && !joins) throw refusal("check_event_allowed");
      return true;
    },
    user_may_create_room: ({ user_id }) => verdict("user_may_create_room", user_id),
    on_create_room({ requester }) {
      if (isJudged("on_create_room", requester.user_id)) throw refusal("on_create_room");
    },
    user_may_send_state_event({ user_id }) {
      if (isJudged("user_may_send_state_event", user_id)) throw refusal("user_may_send_state_event");
      return NOT_SPAM;
    },
    user_may_invite: ({ inviter }) => verdict("user_may_invite", inviter),
    user_may_join_room: ({ user }) => verdict("user_may_join_room", user),
    user_may_create_room_alias: ({ user_id }) => verdict("user_may_create_room_alias", user_id),
    user_may_publish_room: ({ user_id }) => verdict("user_may_publish_room", user_id),
    check_threepid_can_be_invited: () => false,
    check_visibility_can_be_modified: ({ new_visibility }) => new_visibility !== "public",
    check_can_deactivate_user: () => false,
    check_username_for_spam: () => true,
    check_registration_for_spam: ({ username }) =>
      username?.startsWith("new") ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW,
    check_login_for_spam: () => verdict("check_login_for_spam"),
    check_media_file_for_spam: () => Codes.FORBIDDEN,
    auth_checkers: [
      {
        login_type: "org.example.login",
        fields: ["key"],
        handler: ({ username }) => username,
      },
    ],
  },
});

// A small example of each spam checker callback. The reference page shows them.
import { Codes, defineModule, NOT_SPAM, RegistrationBehaviour } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"], local: true },
      handler({ event }) {
        const isLong = JSON.stringify(event.content).length > 10_000;
        return isLong ? [Codes.FORBIDDEN, { "org.example.limit": 10_000 }] : NOT_SPAM;
      },
    },
    should_drop_federated_event: {
      match: { type: ["org.example.experiment"] },
      handler: () => true,
    },
    user_may_join_room({ room, is_invited }) {
      return is_invited || room.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN;
    },
    user_may_invite({ invitee }) {
      return invitee.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN;
    },
    federated_user_may_invite({ event }) {
      return event.sender.endsWith(":friends.example") ? NOT_SPAM : Codes.FORBIDDEN;
    },
    user_may_send_3pid_invite({ medium, address }) {
      return medium === "email" && address.endsWith("@example.org") ? NOT_SPAM : Codes.FORBIDDEN;
    },
    user_may_create_room({ user_id, room_config }) {
      const isPublic = room_config?.preset === "public_chat";
      return isPublic && user_id !== "@alice:example.org" ? Codes.FORBIDDEN : NOT_SPAM;
    },
    user_may_create_room_alias({ room_alias }) {
      return room_alias.startsWith("#team-") ? NOT_SPAM : Codes.FORBIDDEN;
    },
    async user_may_publish_room({ user_id }, { api }) {
      return (await api.is_user_admin({ user_id })) ? NOT_SPAM : Codes.FORBIDDEN;
    },
    user_may_send_state_event: {
      match: { event_type: ["m.room.encryption"] },
      handler: () => Codes.FORBIDDEN,
    },
    check_username_for_spam({ user_profile }) {
      return user_profile.user_id.startsWith("@test-");
    },
    check_registration_for_spam({ email_threepid }) {
      return email_threepid === null ? RegistrationBehaviour.DENY : RegistrationBehaviour.ALLOW;
    },
    async check_media_file_for_spam({ file_wrapper }) {
      const bytes = await file_wrapper.read();
      const isWindowsProgram = bytes[0] === 0x4d && bytes[1] === 0x5a;
      return isWindowsProgram ? Codes.FORBIDDEN : NOT_SPAM;
    },
    check_login_for_spam({ request_info }) {
      const addresses = request_info.map(([_userAgent, address]) => address);
      return addresses.includes("203.0.113.7") ? Codes.FORBIDDEN : NOT_SPAM;
    },
  },
});

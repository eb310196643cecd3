// A small example of each third-party rules callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_allowed: {
      match: { type: ["m.room.topic"] },
      async handler({ event, state_events }) {
        const before = await state_events.get("m.room.topic", "");
        if (before?.content.topic === event.content.topic) return false;
        return { content: { ...event.content, "org.example.changed_by": event.sender } };
      },
    },
    on_create_room({ request_content, is_requester_admin }) {
      if (!is_requester_admin) request_content.visibility = "private";
    },
    check_threepid_can_be_invited({ address }) {
      return address.endsWith("@example.org");
    },
    async check_visibility_can_be_modified({ state_events, new_visibility }) {
      const name = await state_events.get("m.room.name", "");
      return new_visibility === "private" || name !== undefined;
    },
    on_new_event: {
      match: { type: ["m.room.member"], "content.membership": ["join"] },
      handler({ event }, { log }) {
        log.info({ room_id: event.room_id, user_id: event.state_key }, "somebody has joined");
      },
    },
    async check_can_shutdown_room({ user_id }, { api }) {
      return user_id !== null && (await api.is_user_admin({ user_id }));
    },
    check_can_deactivate_user({ user_id, by_admin }) {
      return by_admin || !user_id.startsWith("@bot-");
    },
    on_profile_update({ user_id, new_profile }, { log }) {
      log.info({ user_id, name: new_profile.display_name }, "a profile has changed");
    },
    on_user_deactivation_status_changed({ user_id, deactivated }, { log }) {
      log.info({ user_id, deactivated }, "an account was deactivated or reactivated");
    },
    on_threepid_bind({ user_id, medium }, { log }) {
      log.info({ user_id, medium }, "an identifier was bound");
    },
    on_add_user_third_party_identifier({ user_id, medium }, { log }) {
      log.info({ user_id, medium }, "an identifier was added");
    },
    on_remove_user_third_party_identifier({ user_id, medium }, { log }) {
      log.info({ user_id, medium }, "an identifier was removed");
    },
  },
});

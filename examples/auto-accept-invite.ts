// Accepts invites to local users for them, and marks direct rooms as such: what the Python module
// synapse-auto-accept-invite does.
import { setTimeout as pause } from "node:timers/promises";
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      accept_invites_only_for_direct_messages: { type: "boolean", default: false },
      accept_invites_only_from_local_users: { type: "boolean", default: false },
    },
    additionalProperties: false,
  },
  grants: ["update_room_membership", "account_data_manager.put_global"],
  callbacks: {
    on_new_event: {
      match: (config) => ({
        type: ["m.room.member"],
        "content.membership": ["invite"],
        ...(config.accept_invites_only_for_direct_messages && { "content.is_direct": true }),
        ...(config.accept_invites_only_from_local_users && { local: true }),
      }),
      async handler({ event: { state_key: user_id, sender, room_id, content } }, { api, log }) {
        if (user_id === undefined || !api.is_mine({ id: user_id })) return;

        // Not awaited: the pauses between the attempts may take longer than a callback has time for.
        void join();
        if (content.is_direct) await markAsDirect(user_id);

        /** An invite of another server may reach us before that server lets anybody join by it. */
        async function join() {
          for (const seconds of [0, 1, 2, 4, 8]) {
            await pause(seconds * 1000);
            try {
              const [sender, target] = [user_id as string, user_id as string];
              await api.update_room_membership({ sender, target, room_id, new_membership: "join" });
              return;
            } catch (error) {
              log.info({ room_id, error: String(error) }, "could not join yet");
            }
          }
        }

        async function markAsDirect(user_id: string) {
          const data_type = "m.direct";
          const direct = (await api.account_data_manager.get_global({ user_id, data_type })) ?? {};
          const rooms = direct[sender] ?? [];
          if (!Array.isArray(rooms)) return log.warn({ user_id }, "m.direct holds something else than lists");
          const new_data = { ...direct, [sender]: [...rooms, room_id] };
          await api.account_data_manager.put_global({ user_id, data_type, new_data });
        }
      },
    },
  },
});

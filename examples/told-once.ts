// Tells a service of each new message, at most once, also while processes of Synapse and their Nodes restart.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { url: { type: "string" } },
    required: ["url"],
    additionalProperties: false,
  },
  grants: ["store"],
  callbacks: {
    on_new_event: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { api, config, signal }) {
        // Of all who are told of this event, in all processes, one gets true.
        const isMine = await api.store.compare_and_set({
          key: `told/${event.event_id}`,
          expected: undefined, // only if there is none
          value: true,
          ttl: "1d",
        });
        if (!isMine) return;
        const { event_id, room_id } = event;
        await fetch(config.url, { method: "POST", body: JSON.stringify({ event_id, room_id }), signal });
      },
    },
  },
});

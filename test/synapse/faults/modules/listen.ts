/** A module that notes each event it hears of, after as long as the event says. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { heard: { type: "string" } },
    required: ["heard"],
    additionalProperties: false,
  },
  callbacks: {
    on_new_event: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { config }) {
        await pause(Number(event.content.ms ?? 0));
        appendFileSync(config.heard, `${event.room_id} ${event.content.body}\n`);
      },
    },
  },
});

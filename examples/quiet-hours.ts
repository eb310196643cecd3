// Refuses messages of local users between midnight (UTC) and the hour that the admin sets.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { until: { type: "integer" } },
    required: ["until"],
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message", "m.room.encrypted"], local: true },
      handler: (_, { config }) => (new Date().getUTCHours() < config.until ? Codes.FORBIDDEN : NOT_SPAM),
    },
  },
});

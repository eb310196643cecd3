// Refuses the messages of this server's users between midnight and the hour that the admin sets, in UTC.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: { type: "object", properties: { until: { type: "integer" } }, required: ["until"] },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message", "m.room.encrypted"], local: true },
      handler: (_, { config }) => (new Date().getUTCHours() < config.until ? Codes.FORBIDDEN : NOT_SPAM),
    },
  },
});

/** A policy with a mistake: it refuses everybody. */
import { Codes, defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      handler(_params, { reason }) {
        reason("a link to a domain that is not allowed", { hosts: 0 });
        return Codes.FORBIDDEN;
      },
    },
  },
});

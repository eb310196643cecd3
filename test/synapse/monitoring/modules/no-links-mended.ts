/** The same policy, mended: it refuses links only. */
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      handler({ event }, { reason }) {
        if (!String(event.content.body).includes("https://")) return NOT_SPAM;
        reason("a link to a domain that is not allowed", { hosts: 1 });
        return Codes.FORBIDDEN;
      },
    },
  },
});

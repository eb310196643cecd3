/** A module that keeps answers, is notified and gets broadcasts, so that all metrics have something to show. */
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    user_may_invite: {
      ttl: "1m",
      handler: ({ invitee }) => (invitee.startsWith("@mallory") ? Codes.FORBIDDEN : NOT_SPAM),
    },
    on_new_event({ event }) {
      if (event.content.ends) process.exit(3);
    },
  },
  broadcasts: { topic() {} },
});

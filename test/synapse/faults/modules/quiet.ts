/** A module that says one thing about each message. */
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam(_, { log }) {
      log.error("heard");
      return NOT_SPAM;
    },
  },
});

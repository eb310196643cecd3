/** Asked about all that somebody may be kept from, and has no objection. */
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: () => NOT_SPAM,
    check_event_allowed: () => true,
    user_may_send_state_event: () => NOT_SPAM,
    user_may_publish_room: () => NOT_SPAM,
    check_visibility_can_be_modified: () => true,
  },
});

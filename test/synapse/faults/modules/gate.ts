/** A module that is asked about the users of one name, on every server, and lets them pass; some events take it a while. */
import { setTimeout as pause } from "node:timers/promises";
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { user: { type: "string" } },
    required: ["user"],
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam: {
      match: ({ user }) => ({ sender: [`@${user}:*`], type: ["m.room.message", "org.example.*"] }),
      async handler({ event }) {
        if (event.type === "org.example.slow") await pause(300);
        return NOT_SPAM;
      },
    },
    check_event_allowed: {
      match: ({ user }) => ({ sender: [`@${user}:*`], type: ["m.room.topic", "m.room.member"] }),
      handler: () => true,
    },
    user_may_invite: {
      match: ({ user }) => ({ inviter: [`@${user}:*`] }),
      handler: () => NOT_SPAM,
    },
  },
});

// Refuses what says "spam", and fails about a message whose body is no text, as a careless author's module does.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      handler: ({ event }) => ((event.content.body as string).includes("spam") ? Codes.FORBIDDEN : NOT_SPAM),
    },
    should_drop_federated_event: ({ event }) => event.type === "org.example.drop",
    check_event_allowed: {
      room_state: [["m.room.member", null]],
      async handler({ event, state_events }) {
        const members = await state_events.getMany([["m.room.member", null]]);
        if (members.some(({ redacts }) => redacts !== undefined && typeof redacts !== "string")) return false;
        return event.content.body !== "forbidden";
      },
    },
  },
});

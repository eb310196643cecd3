/** A shadow module that does what the event says, and tries to write through the ModuleApi. */
import { Codes, defineModule, type Event, NOT_SPAM } from "synapse-module-bridge";
import type { Order } from "./behave.js";

const orderOf = ({ content }: Event) => {
  const order = content.order as unknown as Order | undefined;
  return order?.for === "shadow" ? order : undefined;
};

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { api, log }) {
        const order = orderOf(event);
        if (order?.callback !== "check_event_for_spam") return NOT_SPAM;
        switch (order.act) {
          case "refuse":
            return Codes.FORBIDDEN;
          case "throw":
            throw new Error("thrown by a shadow");
          case "hang":
            return new Promise<never>(() => {});
          case "nonsense":
            return { no: "verdict" } as never;
          case "write": {
            const { room_id, sender } = event;
            const written = {
              type: "m.room.message",
              room_id,
              sender,
              content: { body: "written by a shadow" },
            };
            await api
              .create_and_send_event_into_room({ event_dict: written as never })
              .catch((error) => log.warn(`the write failed: ${error.message}`));
            return NOT_SPAM;
          }
        }
        return NOT_SPAM;
      },
    },
    check_event_allowed: {
      match: { type: ["m.room.message"] },
      handler({ event }) {
        const order = orderOf(event);
        if (order?.callback !== "check_event_allowed") return true;
        if (order.act === "replace")
          return [true, { content: { ...event.content, body: "replaced by a shadow" } }];
        return order.act !== "refuse";
      },
    },
    on_create_room({ request_content }) {
      request_content.name = "named by a shadow";
    },
  },
});

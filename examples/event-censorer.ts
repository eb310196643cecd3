// Lets an HTTP service censor messages: it is sent each one and answers with the content to use instead. The example
// of Synapse's own documentation of third-party rules, in TypeScript.
import { defineModule, type JsonObject } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      endpoint: { type: "string", default: "https://my-internal-service.local/censor-event" },
    },
    additionalProperties: false,
  },
  callbacks: {
    check_event_allowed: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { config, signal }) {
        const { internal_metadata: _, ...censored } = event; // nobody else's business
        const response = await fetch(config.endpoint, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(censored),
          signal,
        });
        // Whoever writes to the room waits for this answer: without one, the message is not sent.
        if (!response.ok) throw new Error(`${config.endpoint} answered ${response.status}`);
        return { content: (await response.json()) as JsonObject };
      },
    },
  },
});

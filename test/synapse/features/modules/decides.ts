// Decides about messages by their body, and says why.
import { Codes, contentOf, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { objects: { type: "boolean" } },
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam({ event }, { config, reason }) {
      const body = contentOf(event, "m.room.message")?.body ?? "";
      if (config.objects && body.includes("idea")) {
        reason("an idea");
        return Codes.FORBIDDEN;
      }
      if (config.objects) return NOT_SPAM;
      if (body.startsWith("spam")) {
        reason("a word that is not allowed", { word: "spam" });
        return Codes.FORBIDDEN;
      }
      if (body === "throw") throw new Error("as it was told");
      if (body === "error") throw new SynapseError(429, "slower", Codes.LIMIT_EXCEEDED);
      return NOT_SPAM;
    },
    user_may_create_room_alias({ user_id }, { config, reason }) {
      if (config.objects || !user_id.startsWith("@flood")) return NOT_SPAM;
      reason("no aliases", { user_id });
      return Codes.FORBIDDEN;
    },
  },
});

// Refuses messages that link to a website, except to the domains that the admin allows.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { allowed_domains: { type: "array", items: { type: "string" } } },
    required: ["allowed_domains"],
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      handler({ event }, { config }) {
        // The whole content: a link can hide in formatted_body, or in the new text of an edit.
        for (const link of JSON.stringify(event.content).match(/https?:\/\/[^\s"'<>\\]+/gi) ?? []) {
          const host = URL.canParse(link) ? new URL(link).hostname : link;
          const allowed = config.allowed_domains.some((name) => host === name || host.endsWith(`.${name}`));
          if (!allowed) return [Codes.FORBIDDEN, { "org.example.refused_link": host }];
        }
        return NOT_SPAM;
      },
    },
  },
});

// Lets users invite only people of the domains that the admin allows, and counts what it refused.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { allowed_domains: { type: "array", items: { type: "string" } } },
    required: ["allowed_domains"],
    additionalProperties: false,
  },
  setup() {
    return { refused: new Map<string, number>() };
  },
  callbacks: {
    user_may_invite({ inviter, invitee }, { config, data, log }) {
      const domain = invitee.slice(invitee.indexOf(":") + 1);
      if (config.allowed_domains.includes(domain)) return NOT_SPAM;
      data.refused.set(inviter, (data.refused.get(inviter) ?? 0) + 1);
      log.info({ inviter, domain }, "refused an invite to a foreign domain");
      return Codes.FORBIDDEN;
    },
  },
  web_resources: {
    "/_synapse/client/block_invites/stats": (_request, { data }) => ({
      refused: Object.fromEntries(data.refused),
    }),
  },
});

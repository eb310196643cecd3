// Limits how many people a user may invite in an hour, counted over all processes of Synapse.
import { Codes, defineModule, NOT_SPAM, RateLimiter } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { per_hour: { type: "integer", minimum: 0, default: 20 } },
    required: ["per_hour"],
    additionalProperties: false,
  },
  grants: ["store"],
  setup: ({ api, config }) => new RateLimiter(api, { name: "invites", limit: config.per_hour, per: "1h" }),
  callbacks: {
    async user_may_invite({ inviter }, { data: limiter }) {
      const { allowed, retry_after_ms } = await limiter.consume(inviter);
      return allowed ? NOT_SPAM : [Codes.LIMIT_EXCEEDED, { retry_after_ms }];
    },
  },
});

// Limits how many invites a new account may send in an hour, counted over all processes of Synapse.
import { Codes, defineModule, NOT_SPAM, RateLimiter } from "synapse-module-bridge";

const DAY_MS = 24 * 60 * 60 * 1000;

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      per_hour: { type: "integer", minimum: 0, default: 5 },
      // For so long an account is new.
      days: { type: "number", minimum: 0, default: 7 },
    },
    required: ["per_hour", "days"],
    additionalProperties: false,
  },
  grants: ["store"],
  setup: ({ api, config }) => new RateLimiter(api, { name: "invites", limit: config.per_hour, per: "1h" }),
  callbacks: {
    user_may_invite: {
      // Synapse also asks about invites from other servers. Those have limits of their own.
      match: { local: true },
      async handler({ inviter }, { api, config, data: limiter, log }) {
        const now = api.get_current_time_msec();
        const account = await api.get_userinfo_by_id({ user_id: inviter });
        // creation_ts is in seconds.
        if (account && now - account.creation_ts * 1000 > config.days * DAY_MS) return NOT_SPAM;
        const { allowed } = await limiter.consume(inviter);
        if (allowed) return NOT_SPAM;
        log.info({ inviter }, "too many invites of a new account");
        return Codes.LIMIT_EXCEEDED;
      },
    },
  },
});

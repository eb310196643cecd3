// Limits how many people a user may invite in an hour, counted over all processes of Synapse.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const HOUR = 60 * 60 * 1000;

export default defineModule({
  configSchema: {
    type: "object",
    properties: { per_hour: { type: "integer", minimum: 0, default: 20 } },
    required: ["per_hour"],
    additionalProperties: false,
  },
  grants: ["store"],
  callbacks: {
    async user_may_invite({ inviter }, { config, api }) {
      const hour = Math.floor(api.get_current_time_msec() / HOUR);
      const invites = await api.store.update<number>({
        key: `invites/${hour}/${inviter}`,
        update: (count = 0) => count + 1,
        ttl: "1h",
      });
      return (invites ?? 0) <= config.per_hour ? NOT_SPAM : Codes.LIMIT_EXCEEDED;
    },
  },
});

// A small example of the ratelimit callback. The reference page shows it.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    get_ratelimit_override_for_user({ user, limiter_name }) {
      const isBot = user.startsWith("@bot-") && limiter_name === "rc_invites.per_user";
      return isBot ? { per_second: 1000, burst_count: 1000 } : null;
    },
  },
});

// A small example of each presence router callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    get_users_for_states({ state_updates }) {
      return { "@desk:example.org": state_updates };
    },
    get_interested_users: {
      ttl: "1m",
      handler: ({ user_id }) => (user_id === "@desk:example.org" ? "ALL" : []),
    },
  },
});

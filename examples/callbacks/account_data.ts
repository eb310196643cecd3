// A small example of the account data callback. The reference page shows it.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    on_account_data_updated: {
      match: { account_data_type: ["m.ignored_user_list"] },
      handler({ user_id }, { log }) {
        log.info({ user_id }, "a user ignores other users");
      },
    },
  },
});

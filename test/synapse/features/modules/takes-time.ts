// Takes its time over joins of users whose names begin with "late".
import { setTimeout as pause } from "node:timers/promises";
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    user_may_join_room: {
      match: { user: ["@late*"] },
      async handler() {
        await pause(1500);
        return NOT_SPAM;
      },
    },
  },
});

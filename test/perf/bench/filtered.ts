/** A policy that is never asked: its `match` says no in Synapse. */
import { Codes, defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    check_event_for_spam: { match: { type: ["m.sticker"] }, handler: () => Codes.FORBIDDEN },
  },
});

/** A module of the soak whose match is as costly as any: a hundred globs of many stars. soak_twin.py refuses the same. */
import { Codes, defineModule } from "synapse-module-bridge";

const costly = Array.from({ length: 99 }, (_, n) => `*buy*cheap*a*a*ab${n}*`);

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"], "content.body": ["*buy cheap pills*", ...costly] },
      handler: () => Codes.FORBIDDEN,
    },
  },
});

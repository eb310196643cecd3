// A small example of each background update callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    on_update({ update_name }, { log }) {
      return [50, () => log.debug({ update_name }, "an iteration is done")];
    },
    default_batch_size: () => 100,
    min_batch_size: () => 10,
  },
});

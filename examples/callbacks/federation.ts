// A small example of the federation callback. The reference page shows it.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    on_event_delivered_over_federation({ event }, { log }) {
      log.debug({ server: event.server_name, events: event.event_ids.length }, "events were delivered");
    },
  },
});

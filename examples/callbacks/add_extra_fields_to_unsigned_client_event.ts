// A small example of the callback that adds fields to events. The reference page shows it.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    add_field_to_unsigned_callback: {
      match: { type: ["m.room.member"] },
      fields: { "org.example.name": { $event: "content.displayname" } },
    },
  },
});

// Logs in, controls background updates, and adds a field to events that a handler makes.
import { defineModule } from "synapse-module-bridge";
import { configSchema } from "./callbacks.js";
import { logins, unsigned, updates } from "./special-policy.js";

export default defineModule({
  configSchema,
  callbacks: {
    ...logins,
    ...updates,
    add_field_to_unsigned_callback: { match: { type: ["m.room.message"] }, handler: unsigned },
  },
});

// Logs in, and adds a field to events that a handler makes.
import { defineModule } from "synapse-module-bridge";
import { configSchema } from "./callbacks.js";
import { logins, unsigned } from "./special-policy.js";

export default defineModule({
  configSchema,
  callbacks: {
    ...logins,
    add_field_to_unsigned_callback: { match: { type: ["m.room.message"] }, handler: unsigned },
  },
});

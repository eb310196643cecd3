// Logs in, and adds fields to events by a template.
import { defineModule } from "synapse-module-bridge";
import { configSchema } from "./callbacks.js";
import { logins } from "./special-policy.js";

export default defineModule({
  configSchema,
  callbacks: {
    ...logins,
    add_field_to_unsigned_callback: {
      match: { type: ["org.example.note"], not: { "content.quiet": true } },
      fields: {
        "org.example.third": {
          by: { $event: "sender" },
          number: { $event: "content.number" },
          text: { $event: "content.nested.dotted\\.key" },
          none: { $event: "content.none" },
          list: ["always", { $event: "content.none" }, { $event: "content.list" }, null, 1.5],
        },
      },
    },
  },
});

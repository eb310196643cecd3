// The scripted policy again, but with state that comes along with the call; what it finds must be the same.
import { defineModule } from "synapse-module-bridge";
import { callbacks, configSchema } from "./callbacks.js";

export default defineModule({
  configSchema,
  callbacks: {
    ...callbacks,
    check_event_allowed: {
      room_state: [
        ["m.room.create", ""],
        ["m.room.member", null],
        ["m.room.topic", "none such"],
      ],
      handler: callbacks.check_event_allowed,
    },
    check_threepid_can_be_invited: {
      room_state: [["m.room.power_levels", ""]],
      handler: callbacks.check_threepid_can_be_invited,
    },
    check_visibility_can_be_modified: {
      room_state: [["m.room.join_rules", ""]],
      handler: callbacks.check_visibility_can_be_modified,
    },
    on_new_event: { room_state: [["m.room.member", null]], handler: callbacks.on_new_event },
  },
});

// Lets only those with a level of 150 encrypt a room that "leveller" creates, as a careless author would write it.
import { defineModule, type MutableJsonObject } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    on_create_room({ requester, request_content }) {
      if (!requester.user_id.startsWith("@leveller:")) return;
      request_content.power_level_content_override ??= {};
      const override = request_content.power_level_content_override as MutableJsonObject;
      override.events ??= {};
      (override.events as MutableJsonObject)["m.room.encryption"] = 150;
    },
  },
});

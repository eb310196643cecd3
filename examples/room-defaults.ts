// Gives new rooms the history visibility that the admin wants, and keeps some room addresses for the admins.
import { defineModule, SynapseError } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      history_visibility: { enum: ["invited", "joined", "shared"], default: "invited" },
      reserved_aliases: { type: "array", items: { type: "string" }, default: [] },
    },
    additionalProperties: false,
  },
  callbacks: {
    on_create_room({ request_content, is_requester_admin }, { config }) {
      const alias = request_content.room_alias_name;
      if (typeof alias === "string" && config.reserved_aliases.includes(alias) && !is_requester_admin) {
        throw new SynapseError(403, `The address ${alias} is reserved`, "ORG.EXAMPLE.RESERVED_ALIAS");
      }
      const given = Array.isArray(request_content.initial_state) ? request_content.initial_state : [];
      request_content.initial_state = [
        { type: "m.room.history_visibility", content: { history_visibility: config.history_visibility } },
        ...given, // what the client asks for comes later, and so wins
      ];
    },
  },
});

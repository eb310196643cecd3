// Logs in users of partner services by tokens. Each partner of the configuration has a login type and a secret of its own.
// The token is the hex HMAC-SHA256 of the full user id.
import { createHmac, timingSafeEqual } from "node:crypto";
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      partners: {
        type: "array",
        items: {
          type: "object",
          properties: {
            login_type: { type: "string", pattern: "^[a-z0-9_.]+$" },
            secret: { type: "string", minLength: 16 },
          },
          required: ["login_type", "secret"],
          additionalProperties: false,
        },
        default: [],
      },
    },
    additionalProperties: false,
  },
  callbacks: {
    auth_checkers: (config) =>
      config.partners.map(({ login_type, secret }) => ({
        login_type,
        fields: ["token"],
        async handler({ username, login_dict }, { api }) {
          const user_id = api.get_qualified_user_id({ username });
          const right = createHmac("sha256", secret).update(user_id).digest();
          const given = Buffer.from(String(login_dict.token), "hex");
          if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
          return api.check_user_exists({ user_id });
        },
      })),
  },
});

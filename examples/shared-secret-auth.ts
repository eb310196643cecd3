// Logs anybody in who has a token made with a shared secret, for bridges and the like: what the Python module
// shared-secret-authenticator does. The token is the hex HMAC-SHA512 of the full user id, with the secret as its key.
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Api, defineModule } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      shared_secret: { type: "string", minLength: 1 },
      /** Takes a token also as the password of an ordinary login. */
      m_login_password_support_enabled: { type: "boolean", default: false },
    },
    required: ["shared_secret"],
    additionalProperties: false,
  },
  callbacks: {
    auth_checkers: [
      {
        login_type: "com.devture.shared_secret_auth",
        fields: ["token"],
        handler({ username, login_dict }, { config, api }) {
          return checkToken(username, login_dict.token, config.shared_secret, api);
        },
      },
      {
        login_type: "m.login.password",
        fields: ["password"],
        // Where it is off, no password comes here.
        match: (config) => ({ login_type: config.m_login_password_support_enabled ? ["*"] : [] }),
        handler({ username, login_dict }, { config, api }) {
          return checkToken(username, login_dict.password, config.shared_secret, api);
        },
      },
    ],
  },
});

/** The id of the user whom the token is for; null if it is for nobody. */
async function checkToken(
  username: string,
  token: unknown,
  secret: string,
  api: Api,
): Promise<string | null> {
  const user_id = api.get_qualified_user_id({ username });
  const right = Buffer.from(createHmac("sha512", secret).update(user_id).digest("hex"));
  const given = Buffer.from(String(token));
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  return (await api.get_userinfo_by_id({ user_id })) ? user_id : null;
}

// A small example of each password auth provider callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    auth_checkers: [
      {
        login_type: "org.example.token",
        fields: ["token"],
        handler({ username, login_dict }, { api }) {
          return login_dict.token === "a secret" ? api.get_qualified_user_id({ username }) : null;
        },
      },
    ],
    check_3pid_auth({ medium, address, password }, { api }) {
      if (medium !== "email" || password !== "a secret") return null;
      return api.get_qualified_user_id({ username: address.slice(0, address.indexOf("@")) });
    },
    on_logged_out({ user_id, device_id }, { log }) {
      log.info({ user_id, device_id }, "a device was logged out");
    },
    is_3pid_allowed({ medium, registration }) {
      return medium === "email" || !registration;
    },
    get_username_for_registration({ uia_results }) {
      const email = uia_results["m.login.email.identity"] as { address?: string } | undefined;
      return email?.address?.split("@")[0] ?? null;
    },
    get_displayname_for_registration({ params }) {
      return typeof params.username === "string" ? params.username.toUpperCase() : null;
    },
  },
});

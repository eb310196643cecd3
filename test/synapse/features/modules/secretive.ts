// Logs in whoever sends a password that says what else to do, and keeps the answers about usernames.
import { defineModule, SynapseError } from "synapse-module-bridge";

function act(word: string, secret: string): void {
  if (word === "throw") throw new Error(`wrong: ${secret}`);
  if (word === "refuse") throw new SynapseError(403, `wrong: ${secret}`);
}

export default defineModule({
  setup: () => ({ searches: 0 }),
  callbacks: {
    auth_checkers: [
      {
        login_type: "m.login.password",
        fields: ["password"],
        handler({ login_dict, username }, { api }) {
          const secret = String(login_dict.password);
          const [now = "", later = ""] = secret.split(" ");
          act(now, secret);
          if (now === "bare") return [secret, secret] as never;
          if (now.startsWith("as:")) return now.slice("as:".length);
          if (now !== "ok") return null;
          const user_id = api.get_qualified_user_id({ username });
          // The process ends after this answer has gone, and before it is asked for more: the host itself asks once whether
          // the user exists, so a second question is answered later than that.
          const asked = () => api.check_user_exists({ user_id });
          if (later === "end")
            void asked()
              .then(asked)
              .then(() => setTimeout(() => process.exit(3), 1));
          return [
            user_id,
            async (response) => {
              // The text of a SynapseError is for the client, and Synapse logs it.
              act(later, later === "refuse" ? "not you" : `${secret} ${response.access_token}`);
              if (later === "json") response.bad = new Date() as never;
              response["org.example.done"] = later;
            },
          ];
        },
      },
    ],
    check_username_for_spam: {
      match: { "user_profile.user_id": ["@hidden*"] },
      ttl: "10m",
      handler(_, { data }) {
        data.searches += 1;
        return true;
      },
    },
  },
  web_resources: { "/_synapse/client/searches": (_, { data }) => data.searches },
});

// A module whose setup does what a file says at that moment: succeed, fail or hang.
import { readFileSync } from "node:fs";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { mood: { type: "string" } },
    required: ["mood"],
    additionalProperties: false,
  },
  async setup({ config, api, log }) {
    const mood = readFileSync(config.mood, "utf8");
    log.info(`setup finds the mood ${mood} on ${api.server_name}`);
    if (mood === "fail") throw new Error("the list server is down");
    if (mood === "hang") await new Promise(() => undefined);
    // The whole api is there.
    return {
      admin: await api.is_user_admin({ user_id: api.get_qualified_user_id({ username: "nobody" }) }),
      mood,
    };
  },
  callbacks: {
    user_may_invite(_params, { data }) {
      return data.mood === "succeed" && data.admin === false ? Codes.FORBIDDEN : NOT_SPAM;
    },
    check_event_for_spam(_params, { data }) {
      return data.mood === "succeed" ? Codes.FORBIDDEN : NOT_SPAM;
    },
  },
});

// Refuses all messages of the users on a list, and tells clients who is on it: the example of Synapse's own
// documentation of spam checkers, in TypeScript.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { evil_users: { type: "array", items: { type: "string" }, default: [] } },
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam({ event }, { config }) {
      return config.evil_users.includes(event.sender) ? Codes.FORBIDDEN : NOT_SPAM;
    },
  },
  web_resources: {
    // GET /_synapse/client/list_spam_checker/is_evil?user=@somebody:example.org
    "/_synapse/client/list_spam_checker/is_evil": (request, { config }) => {
      const user = new URL(request.url).searchParams.get("user");
      if (user === null) return Response.json({ error: "which user?" }, { status: 400 });
      return { evil: config.evil_users.includes(user) };
    },
  },
});

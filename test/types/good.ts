// Modules that must compile, under the strictest settings that an author may have.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export const full = defineModule({
  configSchema: {
    type: "object",
    properties: { allowed_domains: { type: "array", items: { type: "string" } } },
    required: ["allowed_domains"],
    additionalProperties: false,
  },
  async setup({ config, api, log, signal }) {
    log.info(
      { domains: config.allowed_domains.length, server: api.server_name, gone: signal.aborted },
      "ready",
    );
    return { invites: new Map<string, number>() };
  },
  callbacks: {
    user_may_invite({ invitee }, { config, data, log }) {
      log.debug(data.invites.get(invitee));
      return config.allowed_domains.some((d) => invitee.endsWith(`:${d}`)) ? NOT_SPAM : Codes.FORBIDDEN;
    },
    check_event_allowed: {
      match: { type: ["m.room.message"], not: { sender: ["@bot:*"] } },
      room_state: [["m.room.power_levels", ""]],
      async handler({ event, state_events }, context) {
        const create = await state_events.get("m.room.create", "");
        context.log.info(create?.sender);
        return [true, { content: { ...event.content, checked: true } }];
      },
    },
  },
  web_resources: {
    "/_synapse/client/no_links/stats": async (_request, { data }) =>
      Response.json({ invites: data.invites.size }),
  },
});

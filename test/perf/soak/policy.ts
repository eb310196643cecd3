/** The policy of the soak: decides by what it is asked alone; soak_twin.py is the same in Python. A `soak.fault` or a `soak.attack` breaks it. */
import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";
import { misbehave } from "./misbehave.js";

const text = (content: object, key: string): string => {
  const value = (content as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
};

export default defineModule({
  callbacks: {
    check_event_for_spam({ event }) {
      const attack = text(event.content, "soak.attack");
      if (attack) return misbehave(attack).then(() => NOT_SPAM);
      // As careless as many are: it may be no text.
      const { formatted_body } = event.content as { formatted_body?: string };
      if (formatted_body?.includes("casino")) return Codes.FORBIDDEN;
      const body = text(event.content, "body");
      if (body.includes("casino")) return Codes.FORBIDDEN;
      if (body.includes("lottery")) return [Codes.LIMIT_EXCEEDED, { "soak.word": "lottery" }];
      return NOT_SPAM;
    },
    check_event_allowed: {
      room_state: [["soak.rules", ""]],
      async handler({ event, state_events }) {
        const fault = text(event.content, "soak.fault");
        if (fault) return misbehave(fault);
        const body = text(event.content, "body");
        if (body.includes("teapot")) {
          throw new SynapseError(418, "short and stout", "SOAK.TEAPOT", { "soak.brew": "tea" });
        }
        if (body.includes("card")) {
          return [
            true,
            { content: { ...event.content, body: body.replaceAll("card", "****"), checked: true } },
          ];
        }
        if (body.includes("deep")) {
          const create = await state_events.get("m.room.create", "");
          return create?.sender !== event.sender;
        }
        const rules = await state_events.get("soak.rules", "");
        const word = rules ? text(rules.content, "word") : "";
        return !word || event.type === "soak.rules" || !body.includes(word);
      },
    },
    user_may_invite({ invitee }) {
      if (invitee.startsWith("@bad")) return Codes.FORBIDDEN;
      if (invitee.startsWith("@odd")) return [Codes.UNKNOWN, { "soak.invitee": "odd" }];
      return NOT_SPAM;
    },
    user_may_create_room({ room_config = {} }) {
      const name = text(room_config, "name");
      return name.includes("casino") ? [Codes.FORBIDDEN, { "soak.room": "casino" }] : NOT_SPAM;
    },
    user_may_create_room_alias({ room_alias }) {
      return room_alias.startsWith("#reserved") ? Codes.FORBIDDEN : NOT_SPAM;
    },
    user_may_send_state_event({ event_type, content }) {
      if (event_type === "soak.locked") return Codes.FORBIDDEN;
      if (text(content, "body").includes("teapot")) throw new SynapseError(400, "no tea", "SOAK.NO_TEA");
      return NOT_SPAM;
    },
    on_create_room({ request_content }) {
      const name = text(request_content, "name");
      if (name.includes("explode"))
        throw new SynapseError(429, "not now", "SOAK.NOT_NOW", { "soak.room": name });
      request_content.topic = `about ${name}`;
    },
    async check_media_file_for_spam({ file_wrapper }) {
      const content = Buffer.from(await file_wrapper.read()).toString("latin1");
      return content.includes("virus") ? Codes.FORBIDDEN : NOT_SPAM;
    },
    check_username_for_spam({ user_profile }) {
      return user_profile.user_id.startsWith("@soakhidden");
    },
    on_new_event() {},
    on_profile_update() {},
  },
});

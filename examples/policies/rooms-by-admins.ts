// Lets only admins create and upgrade rooms. Everybody may still begin a direct chat with one person.
//
// For whom: companies and schools, whose rooms are made by those who run the server.
// Limits: a direct chat is a room in which its creator may later invite others. Who is listed in `creators` may do what admins
// may. Rooms of other servers are theirs. What an application service or a module does, it does as one of its users: list them.
import { Codes, type CreateRoomBody, defineModule, SynapseError } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      creators: {
        description: "Globs of user ids that may create rooms, too, such as '@teacher-*:example.org'.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      direct_chats: {
        description: "Whether everybody may create a direct chat: a private room with one other person.",
        type: "boolean",
        default: true,
      },
    },
    additionalProperties: false,
  },
  callbacks: {
    on_create_room: {
      match: (config) => ({ is_requester_admin: false, not: { "requester.user_id": config.creators } }),
      handler({ request_content: room }, { config, reason }) {
        if (config.direct_chats && isDirect(room)) return;
        reason("only admins create rooms");
        throw new SynapseError(403, "Only admins of this server may create rooms.", Codes.FORBIDDEN);
      },
    },
    // An upgrade makes a room, too. It begins with this event in the old room.
    check_event_allowed: {
      match: (config) => ({ type: ["m.room.tombstone"], local: true, not: { sender: config.creators } }),
      async handler({ event }, { api, reason }) {
        if (await api.is_user_admin({ user_id: event.sender })) return true;
        reason("only admins upgrade rooms");
        throw new SynapseError(403, "Only admins of this server may upgrade rooms.", Codes.FORBIDDEN);
      },
    },
  },
});

/** Whether a room is private and for one other person. It is the client that says that it is direct. */
function isDirect(room: CreateRoomBody): boolean {
  const invited = [room.invite, room.invite_3pid].flatMap((list) => (Array.isArray(list) ? list : []));
  const state = Array.isArray(room.initial_state) ? room.initial_state : [];
  const opens = state.some(
    (event) =>
      event !== null && typeof event === "object" && "type" in event && event.type === "m.room.join_rules",
  );
  return (
    room.is_direct === true &&
    invited.length === 1 &&
    !opens &&
    room.room_alias_name === undefined &&
    room.preset !== "public_chat" &&
    room.visibility !== "public"
  );
}

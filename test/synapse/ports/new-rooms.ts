// What clients ask for in new rooms, and how the room access rules answer.
import type { Body } from "../../support/client.js";

export const RULES = "im.vector.room.access_rules";

export const rule = (name: unknown) => ({ type: RULES, state_key: "", content: { rule: name } });
const levels = (content: Body) => ({ type: "m.room.power_levels", state_key: "", content });

/** What a room is asked to be, the body of the request, and the status of the answer. */
export const newRooms: readonly [title: string, options: Body, status: number][] = [
  ["with nothing said", {}, 200],
  ["for one other", { is_direct: true }, 200],
  ["that is public", { preset: "public_chat", visibility: "public" }, 200],
  ["that is unrestricted", { initial_state: [rule("unrestricted")] }, 200],
  ["that is restricted and not for one other", { initial_state: [rule("restricted")] }, 200],
  ["with a rule that does not exist", { initial_state: [rule("friendly")] }, 400],
  ["with a rule that is missing", { initial_state: [{ ...rule(""), content: {} }] }, 400],
  ["with the rule of direct rooms that is none", { initial_state: [rule("direct")] }, 400],
  ["for one other, with another rule", { is_direct: true, initial_state: [rule("restricted")] }, 400],
  ["for one other, and public", { is_direct: true, preset: "public_chat" }, 400],
  [
    "for one other, and open to all",
    {
      is_direct: true,
      initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "public" } }],
    },
    400,
  ],
  [
    "that is unrestricted, and published",
    { visibility: "public", initial_state: [rule("unrestricted")] },
    403,
  ],
  [
    "with power levels that add some",
    { power_level_content_override: { events: { "m.room.topic": 0 } } },
    200,
  ],
  ["with power levels that let all invite", { power_level_content_override: { invite: 0 } }, 400],
  [
    "with power levels that let all change state",
    { power_level_content_override: { state_default: 50 } },
    400,
  ],
  ["with an event that lets all invite", { initial_state: [levels({ invite: 0 })] }, 400],
  ["with an event of power levels", { initial_state: [levels({ redact: 75 })] }, 200],
  [
    "that is unrestricted, with power for all",
    { initial_state: [rule("unrestricted")], power_level_content_override: { users_default: 50 } },
    400,
  ],
  [
    "that is unrestricted, with power for one of a forbidden server",
    {
      initial_state: [rule("unrestricted")],
      power_level_content_override: { users: { "@a:forbidden.example": 50 } },
    },
    400,
  ],
  ["of somebody who invites a forbidden one", { invite: ["@a:forbidden.example"] }, 403],
];

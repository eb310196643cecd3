// What on_create_room may do to the body of the request.
import type { Client } from "../../support/client.js";
import { shown } from "./normal.js";
import type { Row } from "./rows.js";
import type { Operation } from "./script.js";
import type { Trigger } from "./trigger.js";

const callback = "on_create_room";

/** The state of the room that came out of it, numbers as they are written. */
async function stateOf(alice: Client, room: string | undefined): Promise<unknown> {
  if (!room) return "no room";
  const { body } = await alice.roomState(room);
  const wanted = ["m.room.name", "m.room.topic", "m.room.create", "m.room.join_rules", "m.room.encryption"];
  const found = body.filter(({ type }: { type: string }) => wanted.includes(type) || type.startsWith("org."));
  const texts = found.map(async ({ type, state_key }: { type: string; state_key: string }) => [
    type,
    shown(await alice.getState(room, type, state_key)),
  ]);
  return Object.fromEntries(await Promise.all(texts));
}

const newRoom = (title: string, body: string): Trigger => ({
  title,
  async act({ alice, names }) {
    const answer = await alice.request("POST", "/_matrix/client/v3/createRoom", { raw: body });
    const room = answer.body.room_id;
    if (room) names.set(room, "<the created room>");
    return { answers: [answer], effect: () => stateOf(alice, room) };
  },
});

const plainRoom = newRoom(
  "a new room",
  JSON.stringify({
    name: "As asked",
    topic: "Talk",
    preset: "private_chat",
    creation_content: { "org.example.kind": { level: 1 } },
    initial_state: [{ type: "org.example.note", state_key: "", content: { text: "note", list: [1, 2] } }],
  }),
);
const oddRoom = newRoom(
  "a new room of version 5 with numbers that JavaScript cannot hold",
  '{"room_version":"5","initial_state":[{"type":"org.example.odd","state_key":"",' +
    '"content":{"one":1.0,"big":9007199254740993,"list":[2.0,9007199254740995],"text":"x"}}]}',
);

const row = (trigger: Trigger, answer: string, ...edit: readonly Operation[]): Row => ({
  callback,
  trigger,
  answer,
  script: () => ({ first: { [callback]: { edit } } }),
});
const note = { type: "org.example.added", state_key: "", content: { added: true } };

export const editRows: readonly Row[] = [
  row(plainRoom, "another name", { path: ["name"], set: "As the policy wants" }),
  row(plainRoom, "the topic deleted", { path: ["topic"], unset: true }),
  row(plainRoom, "another preset", { path: ["preset"], set: "public_chat" }),
  row(plainRoom, "another room version", { path: ["room_version"], set: "10" }),
  row(plainRoom, "initial state added", { path: ["initial_state"], push: note }),
  row(plainRoom, "initial state replaced", { path: ["initial_state"], set: [note] }),
  row(
    plainRoom,
    "nested edits",
    { path: ["initial_state", 0, "content", "text"], set: "edited" },
    {
      path: ["creation_content", "org.example.kind", "level"],
      set: 2,
    },
  ),
  row(
    plainRoom,
    "several edits",
    { path: ["name"], set: "N" },
    { path: ["topic"], unset: true },
    {
      path: ["initial_state", 0, "content", "list"],
      push: 3,
    },
  ),
  row(plainRoom, "a preset that does not exist", { path: ["preset"], set: "no such preset" }),
  row(plainRoom, "a name of the wrong type", { path: ["name"], set: 7 }),
  row(oddRoom, "an edit beside odd numbers", {
    path: ["initial_state", 0, "content", "text"],
    set: "edited",
  }),
  row(oddRoom, "a number added", { path: ["initial_state", 0, "content", "added"], set: 5 }),
  row(oddRoom, "an array made longer", { path: ["initial_state", 0, "content", "list"], push: "end" }),
  row(oddRoom, "initial state added", { path: ["initial_state"], push: note }),
  {
    callback,
    trigger: plainRoom,
    answer: "edits of all three modules, which see each other's",
    script: () => ({
      first: {
        [callback]: {
          edit: [
            { path: ["name"], set: "First" },
            { path: ["first"], set: { list: [] } },
          ],
        },
      },
      second: { [callback]: { edit: [{ path: ["first", "list"], push: "second" }] } },
      third: { [callback]: { edit: [{ path: ["topic"], set: "Third" }] } },
    }),
  },
  {
    callback,
    trigger: plainRoom,
    answer: "an edit, and an error of a later module",
    script: () => ({
      first: { [callback]: { edit: [{ path: ["name"], set: "First" }] } },
      second: { [callback]: { throw: { synapse_error: { code: 403, msg: "no", errcode: "M_FORBIDDEN" } } } },
    }),
  },
];

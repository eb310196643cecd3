// What check_event_allowed may make of an event: every honoured field, in each form that TypeScript may give it.
import type { Client } from "../../support/client.js";
import { shown } from "./normal.js";
import type { Row } from "./rows.js";
import type { Action, AnswerSpec, Replacement } from "./script.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const callback = "check_event_allowed";

/** What others see of the event in the end, numbers as they are written. */
async function eventSeenBy(reader: Client, room: string, eventId: string | undefined): Promise<unknown> {
  if (eventId === undefined) return "no event";
  const { status, body } = shown(await reader.event(room, eventId));
  // Ages are clocks; what a policy has put there is far from now.
  const untimed = (age: unknown) => (typeof age === "number" && age < 60_000 ? "<age>" : "<no age>");
  if (body.unsigned) body.unsigned.age = untimed(body.unsigned.age);
  return { status, body };
}

const roomOf = (version: string) => async (side: Side) => {
  const { alice, bob, names } = side;
  const created = await alice.createRoom({ preset: "public_chat", room_version: version });
  if (created.status !== 200) throw new Error(`no room of version ${version}: ${created.text}`);
  const room = created.body.room_id;
  names.set(room, "<the fresh room>");
  await bob.join(room);
  // Both may send state and redact.
  const users = { [alice.userId]: 100, [bob.userId]: 100 };
  if (version !== "12") await alice.setState(room, "m.room.power_levels", "", { users });
  return room;
};

const message: Trigger = {
  title: "a message",
  async act({ alice, bob, room }, _prepared, n) {
    const content = { msgtype: "m.text", body: `message ${n}`, list: [1, 2], nested: { keep: "me" } };
    const answer = await bob.send(room, content, "m.room.message", `txn${n}`);
    return { answers: [answer], effect: () => eventSeenBy(alice, room, answer.body.event_id) };
  },
};

const oddNumbers =
  '{"msgtype":"m.text","body":"odd","one":1.0,"big":9007199254740993,"small":-0.0,"exponent":1e3,' +
  '"list":[1.0,9007199254740993,{"deep":2.0}],"nested":{"big":-9223372036854775807,"other":1}}';

const oddMessage: Trigger = {
  title: "a message with numbers that JavaScript cannot hold, in a room of version 5",
  prepare: roomOf("5"),
  async act({ alice, bob }, room: string, n) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/txn${n}`;
    const answer = await bob.request("PUT", path, { raw: oddNumbers });
    return { answers: [answer], effect: () => eventSeenBy(alice, room, answer.body.event_id) };
  },
};

const topic: Trigger = {
  title: "a state event",
  async act({ alice, bob, room }, _prepared, n) {
    const answer = await alice.setState(room, "m.room.topic", "", { topic: `Topic ${n}` });
    return { answers: [answer], effect: () => eventSeenBy(bob, room, answer.body.event_id) };
  },
};

const topicOfBoth: Trigger = {
  title: "a state event in a room where both users may send it",
  prepare: roomOf("11"),
  async act({ alice, bob }, room: string, n) {
    const answer = await bob.setState(room, "m.room.topic", "", { topic: `Topic ${n}` });
    return { answers: [answer], effect: () => eventSeenBy(alice, room, answer.body.event_id) };
  },
};

/** 1.140 has rooms of version 12, but makes none while a module has check_event_allowed. */
const since = (version: string) => version === "12" && { since: "1.150.0" };

const redaction = (version: string): Trigger => ({
  title: `a redaction in a room of version ${version}`,
  ...since(version),
  async prepare(side) {
    const room = await roomOf(version)(side);
    const first = (await side.bob.say(room, "first")).body.event_id;
    const second = (await side.bob.say(room, "second")).body.event_id;
    side.names.set(first, "<the first message>").set(second, "<the second message>");
    return { room, first, second };
  },
  async act({ alice, bob }, { room, first, second }) {
    const answer = await bob.redact(room, first, { reason: "typo" });
    const effect = async () => [
      (await alice.event(room, first)).body.content,
      (await alice.event(room, second)).body.content,
    ];
    return { answers: [answer], effect };
  },
});

const roomCreation = (version: string): Trigger => ({
  title: `a new room of version ${version}`,
  ...since(version),
  async act({ alice, names }, _prepared, n) {
    const answer = await alice.createRoom({ name: `Room ${n}`, room_version: version });
    const room = answer.body.room_id;
    if (room) names.set(room, "<the created room>");
    const effect = async () => {
      if (!room) return "no room";
      const create = await alice.getState(room, "m.room.create");
      const name = await alice.getState(room, "m.room.name");
      return [shown(create), shown(name)];
    };
    return { answers: [answer], effect };
  },
});

function row(
  trigger: Trigger,
  answer: string,
  replace: Replacement,
  as: "pair" | "fields" | "event" = "fields",
  more: Partial<Action> = {},
): Row {
  const spec: AnswerSpec = { replace, as };
  const script = () => ({ first: { [callback]: { ...more, answer: spec } } });
  return { callback, trigger, answer, script };
}

const body = (text: string): Replacement => ({ content: [{ path: ["body"], set: text }] });
const setField = (event: Replacement["event"]): Replacement => ({ ...(event && { event }) });
const bySender = (
  trigger: Trigger,
  answer: string,
  localpart: string,
  as: "fields" | "pair" | "event" = "fields",
): Row => ({
  callback,
  trigger,
  answer,
  script: ({ server }) => {
    const sender = localpart.includes(":") ? localpart : `@${localpart}:${server.serverName}`;
    return { first: { [callback]: { answer: { replace: { event: { sender } }, as } } } };
  },
});

export const replacementRows: readonly Row[] = [
  row(message, "a replaced text, as fields", body("replaced")),
  row(message, "a replaced text, as a pair", body("replaced"), "pair"),
  row(message, "a replaced text, in the whole event", body("replaced"), "event"),
  row(message, "content with keys added, nested and removed", {
    content: [
      { path: ["added"], set: { number: 7, list: [null, true, "☃"], "": {} } },
      { path: ["nested", "more"], set: [] },
      { path: ["list"], push: 3 },
      { path: ["msgtype"], unset: true },
    ],
  }),
  row(message, "an array that is made shorter", { content: [{ path: ["list"], set: [2] }] }),
  row(message, "content that is not valid", { content: [{ path: ["body"], set: 7 }] }),
  row(message, "content that is too big", body("x".repeat(70_000))),
  row(message, "a number that no event may have", { content: [{ path: ["n"], set: 2 ** 60 }] }),
  row(
    message,
    "unknown keys of the event",
    setField({ "org.example.key": 1, depth: 3, event_id: "$x" }),
    "event",
  ),
  row(message, "another origin_server_ts", setField({ origin_server_ts: 1234 })),
  row(message, "unsigned fields", setField({ unsigned: { age_ts: 77, prev_content: { was: "x" } } })),
  row(
    message,
    "unsigned fields that Synapse does not know",
    setField({ unsigned: { "org.example.key": 1 } }),
  ),
  bySender(topicOfBoth, "another local sender", "alice"),
  bySender(topicOfBoth, "another local sender, as a pair", "alice", "pair"),
  bySender(topicOfBoth, "another local sender, in the whole event", "alice", "event"),
  bySender(message, "a sender who is not in the room", "admin"),
  bySender(message, "a sender of another server", "@rita:example.org"),
  bySender(message, "a sender who is no user id", "x:y"),
  row(message, "another room_id", setField({ room_id: "!other:example.org" }), "event"),
  row(message, "another type", setField({ type: "org.example.other" }), "event"),
  row(message, "a state_key where there is none", setField({ state_key: "" }), "event"),
  row(topic, "a replaced topic", { content: [{ path: ["topic"], set: "A better topic" }] }),
  row(topic, "another state_key", setField({ state_key: "x" }), "event"),
  row(oddMessage, "what was not asked for", body("replaced")),
  row(oddMessage, "what was not asked for, as a pair", body("replaced"), "pair"),
  row(oddMessage, "what was not asked for, in the whole event", body("replaced"), "event"),
  row(oddMessage, "a number set beside those", { content: [{ path: ["nested", "other"], set: 2 }] }),
  row(oddMessage, "a number removed", { content: [{ path: ["big"], unset: true }] }),
  row(oddMessage, "the first of an array removed", { content: [{ path: ["list", 0], unset: true }] }),
  row(oddMessage, "the last of an array removed", { content: [{ path: ["list", 2], unset: true }] }),
  row(oddMessage, "an array made longer", { content: [{ path: ["list"], push: "end" }] }),
  {
    callback,
    trigger: redaction("5"),
    answer: "another event to redact",
    script: ({ names }) => {
      const second = [...names].findLast(([, name]) => name === "<the second message>")?.[0] ?? "";
      return { first: { [callback]: { answer: { replace: { event: { redacts: second } }, as: "fields" } } } };
    },
  },
  row(redaction("12"), "another reason", { content: [{ path: ["reason"], set: "none" }] }),
  ...["5", "11", "12"].flatMap((version) => [
    row(
      roomCreation(version),
      "a replaced name",
      { content: [{ path: ["name"], set: "Policy's name" }] },
      "fields",
      {
        when: { "event.type": "m.room.name" },
      },
    ),
    row(
      roomCreation(version),
      "a key added to the create event",
      { content: [{ path: ["org.example.by"], set: "policy" }] },
      "fields",
      { when: { "event.type": "m.room.create" } },
    ),
  ]),
  row(roomCreation("12"), "the whole create event", body("x"), "event", {
    when: { "event.type": "m.room.create" },
  }),
];

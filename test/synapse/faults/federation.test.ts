/** An outage of Node on a server that federates with another: what each policy does to local and to remote users. */
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { interruptibleNode } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { observed } from "../../support/observed.js";
import { childrenOf, isGone } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

/** One bridge each, in the same Synapse; it is asked about the users that have its name. */
const policies = {
  allow: "allow",
  deny: "deny",
  defer: "defer",
  mixed: { local: "defer", federated: "allow" },
} as const;
type Name = keyof typeof policies;
const names = Object.keys(policies) as Name[];
const simple = ["allow", "deny", "defer"] as const;

const files = temporaryFolder();
const certificates = makeCertificates();
const { node, down } = interruptibleNode(files);
let near: Homeserver;
let far: Homeserver;
/** The users of our server, and of the other one. */
let ours: Record<Name, Client>;
let theirs: Record<Name, Client>;
let reader: Client;
/** A room of ours for each name, with both users of that name in it. */
let rooms: Record<Name, string>;
let away: string;
let note: string;

const all = async <T>(make: (name: Name) => Promise<T>) =>
  Object.fromEntries(await Promise.all(names.map(async (name) => [name, await make(name)]))) as Record<
    Name,
    T
  >;

beforeAll(async () => {
  const modules = names.map((name) => {
    const on_failure = policies[name];
    const callbacks = ["check_event_for_spam", "check_event_allowed", "user_may_invite"];
    return bridge({
      node,
      modules: [{ path: modulePath("gate.ts"), name, config: { user: name } }],
      callbacks: Object.fromEntries(callbacks.map((callback) => [callback, { on_failure }])),
    });
  });
  [near, far] = await Promise.all([
    boot({ modules, federation: certificates }),
    boot({ modules: [], federation: certificates }),
  ]);
  ours = await all((name) => registerUser(near, name));
  theirs = await all((name) => registerUser(far, name));
  reader = await registerUser(near, "reader");
  rooms = await all(async (name) => {
    const { room_id } = (await ours[name].createRoom({ preset: "public_chat" })).body;
    await reader.join(room_id);
    await theirs[name].join(room_id, [near.serverName]);
    return room_id;
  });
  // A room of theirs that our user has been in, and left.
  const power_level_content_override = { state_default: 0 };
  away = (await theirs.mixed.createRoom({ preset: "public_chat", power_level_content_override })).body
    .room_id;
  await ours.mixed.join(away, [far.serverName]);
  note = (await ours.mixed.setState(away, "org.example.note", "", { text: "ours" })).body.event_id;
  for (let n = 0; n < 5; n++) await ours.mixed.say(away, `ours ${n}`);
  await arrives(theirs.mixed, away, "ours 4");
  await ours.mixed.leave(away);
  for (let n = 0; n < 5; n++) await theirs.mixed.say(away, `theirs ${n}`);
}, 90_000);

afterAll(async () => {
  rmSync(down, { force: true });
  await Promise.all([near?.stop(), far?.stop()]);
  certificates.remove();
  files.remove();
});

const bodies = async (client: Client, room: string): Promise<string[]> =>
  (await client.messages(room)).body.chunk.map(({ content }: { content: { body?: string } }) => content.body);
const arrives = (client: Client, room: string, body: string) =>
  waitFor(`"${body}"`, async () => (await bodies(client, room)).includes(body), 15_000);
/** The answers by policy about what a user did. */
const decisions = (user: Client, ...parts: string[]) =>
  logged(near, "outcome=policy").filter((line) =>
    [`user=${user.userId} `, ...parts].every((part) => line.includes(part)),
  );

test("a remote join of a room with much state is judged, and does not keep local users waiting", async () => {
  const state = Array.from({ length: 250 }, (_, n) => ({
    ...{ type: "org.example.slow", state_key: `${n}`, content: {} },
  }));
  const created = await theirs.allow.createRoom({ preset: "public_chat", initial_state: state });
  const began = performance.now();
  let joined = 0;
  const joining = reader.join(created.body.room_id, [far.serverName]).then((answer) => {
    joined = performance.now() - began;
    return answer;
  });
  const sends: number[] = [];
  while (joined === 0 && sends.length < 100) {
    const before = performance.now();
    expect((await ours.allow.say(rooms.allow, `meanwhile ${sends.length}`)).status).toBe(200);
    sends.push(performance.now() - before);
  }
  expect((await joining).status).toBe(200);
  sends.sort((a, b) => a - b);
  const [median = 0, slowest = 0] = [sends[sends.length >> 1], sends.at(-1)];
  // Some were sent and done while the join was still being judged.
  expect(sends.length).toBeGreaterThan(2);
  expect(await reader.roomState(created.body.room_id).then(({ body }) => body.length)).toBeGreaterThan(250);
  expect(logged(near, "outcome=policy")).toEqual([]);
  const local = `median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`;
  const outcome = `joined after ${joined.toFixed(0)} ms; ${sends.length} local messages meanwhile, ${local}`;
  observed(29, { on: "federating Synapses", outcome });
}, 60_000);

describe("during an outage", () => {
  beforeAll(async () => {
    writeFileSync(down, "");
    const before = childrenOf(near.pid);
    expect(before).toHaveLength(names.length);
    for (const pid of before) process.kill(pid, "SIGKILL");
    await waitFor("their end", () => before.every(isGone));
    // What comes in the first two seconds waits for Node to come back; then policy answers at once.
    const began = performance.now();
    expect((await ours.allow.say(rooms.allow, "held")).status).toBe(200);
    console.info(
      `a message at the beginning of an outage is held for ${(performance.now() - began).toFixed(0)} ms`,
    );
  });

  const locally = { allow: 200, deny: 403, defer: 503 };
  const federated = { allow: 200, deny: 403, defer: 403 };

  test.each(simple)("%s: a local message, state event and invite", async (name) => {
    const user = ours[name];
    const began = performance.now();
    const answers = [
      await user.say(rooms[name], "local"),
      await user.setState(rooms[name], "m.room.topic", "", { topic: "local" }),
      await user.invite(rooms[name], `@nobody:${near.serverName}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill(locally[name]));
    if (name !== "allow")
      expect(answers.map(({ body }) => body.error)).toEqual(Array(3).fill("policy unavailable"));
    const took = (performance.now() - began).toFixed(0);
    observed(8, { policy: name, outcome: `${locally[name]} each, in ${took} ms` });
  });

  test.each(simple)("%s: an invite from another server, and a join through ours", async (name) => {
    const theirRoom = (await theirs[name].createRoom()).body.room_id;
    const ourRoom = (await reader.createRoom({ preset: "public_chat" })).body.room_id;
    const began = performance.now();
    const invited = await theirs[name].invite(theirRoom, reader.userId);
    const joined = await theirs[name].join(ourRoom, [near.serverName]);
    const took = (performance.now() - began).toFixed(0);
    expect({ invited: invited.status, joined: joined.status }).toEqual({
      invited: federated[name],
      joined: federated[name],
    });
    const down = `answer=${name} reason=down`;
    expect(decisions(theirs[name], "callback=user_may_invite", down)).toHaveLength(1);
    expect(decisions(theirs[name], "callback=check_event_allowed", `${down} room=${ourRoom}`)).toHaveLength(
      1,
    );
    const outcome = `${federated[name]} each, in ${took} ms`;
    observed(8, { on: "federating Synapses", policy: name, outcome });
  });

  test.each(simple)("%s: a message from another server", async (name) => {
    const { event_id } = (await theirs[name].say(rooms[name], "remote")).body;
    const asked = () =>
      decisions(theirs[name], "check_event_for_spam", `answer=${name}`, `event=${event_id}`);
    await waitFor("policy to answer", () => asked().length > 0);
    if (name === "allow") await arrives(reader, rooms[name], "remote");
    else expect(await bodies(reader, rooms[name])).not.toContain("remote");
    const outcome = { allow: "it comes", deny: "it never comes", defer: "it comes after the outage" }[name];
    observed(8, { on: "federating Synapses", policy: name, outcome });
  });

  test("our user's old events that come back with a join, or by backfill, are another server's events", async () => {
    // Had they been taken for local ones, this policy would have deferred them, and the join with them.
    expect((await ours.mixed.say(rooms.mixed, "local")).status).toBe(503);
    expect(await ours.mixed.join(away, [far.serverName])).toMatchObject({ status: 200 });
    const ofNote = decisions(ours.mixed, `event=${note}`);
    expect(ofNote.length).toBeGreaterThan(0);
    expect(ofNote.every((line) => line.includes("answer=allow"))).toBe(true);
    await arrives(ours.mixed, away, "theirs 0");
    expect((await ours.mixed.getState(away, "org.example.note")).body).toEqual({ text: "ours" });
    const own = decisions(ours.mixed, "check_event_for_spam", `room=${away}`);
    console.info(
      `rejoin: ${own.length} questions about our own events, ${ofNote.length} of them about the state event`,
    );
    // The messages among them came by backfill.
    expect(own.length).toBeGreaterThan(ofNote.length);
    expect(own.filter((line) => !line.includes("answer=allow"))).toEqual([]);
    const member = await theirs.mixed.getState(away, "m.room.member", ours.mixed.userId);
    expect(member.body.membership).toBe("join");
    const outcome = "the join, and the events with it, are allowed; a local message is 503";
    observed(8, { on: "federating Synapses", policy: "local defer, federated allow", outcome });
  });
});

describe("after it", () => {
  beforeAll(async () => {
    rmSync(down);
    const back = () => logged(near, "the module host is back").length === names.length;
    await waitFor("all hosts to be back", back, 15_000);
  });

  test.each(simple)("%s: local requests are judged by the module again", async (name) => {
    expect((await ours[name].say(rooms[name], "local again")).status).toBe(200);
  });

  test("what was deferred comes with the next message; what was denied never does", async () => {
    await Promise.all(simple.map((name) => theirs[name].say(rooms[name], "remote again")));
    await Promise.all(simple.map((name) => arrives(reader, rooms[name], "remote again")));
    await arrives(reader, rooms.defer, "remote");
    expect(await bodies(reader, rooms.deny)).not.toContain("remote");
  });

  test("who was refused for the outage may join", async () => {
    const ourRoom = (await reader.createRoom({ preset: "public_chat" })).body.room_id;
    for (const name of simple) expect((await theirs[name].join(ourRoom, [near.serverName])).status).toBe(200);
  });

  test("the log tells the outage's begin and end once for each host, and warned of deny at the start", () => {
    expect(logged(near, "the module host ended")).toHaveLength(names.length);
    expect(logged(near, "the module host is back")).toHaveLength(names.length);
    expect(logged(near, "check_event_for_spam.on_failure is deny for federated events")).toHaveLength(1);
    expect(contextWarnings(near)).toEqual([]);
  });
});

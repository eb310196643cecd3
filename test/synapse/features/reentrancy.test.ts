// A module that calls back into Synapse from inside a callback: what works in Python works, and what would wait for itself
// there ends in an error.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Answer, type Body, type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { contextWarnings } from "../../support/log.js";
import { observed } from "../../support/observed.js";
import { modulePath } from "./module-path.js";

let server: Homeserver;
let alice: Client;
let bob: Client;

beforeAll(async () => {
  server = await startHomeserver({
    modules: [
      bridge({
        modules: [{ path: modulePath("reenter.ts"), grants: "all" }, { path: modulePath("takes-time.ts") }],
        callbacks: { user_may_invite: { timeout: "1s" } },
      }),
    ],
  });
  [alice, bob] = [await registerUser(server, "alice"), await registerUser(server, "bob")];
}, 60_000);

afterAll(() => server?.stop());

/** Synapse itself says so wherever a module has on_new_event. */
const ownWarning = /finished log context|without recording a start rusage/;

const path = "/_synapse/client/reenter";
const told = async (): Promise<Body> => (await alice.get(`${path}/seen`)).body;

/** What the module saw, once its call of the api has ended. */
const ended = () =>
  waitFor("the api call to end", async () => {
    const seen = await told();
    return seen.outcome ? seen : undefined;
  });

async function newRoom(): Promise<string> {
  return (await alice.createRoom({ preset: "public_chat" })).body.room_id;
}

let count = 0;
async function newUser(): Promise<Client> {
  count += 1;
  return registerUser(server, `user${count}`);
}

interface Plan {
  inside: string;
  where?: object;
  method: string;
  params: object;
  awaited: boolean;
}

async function planned(plan: Plan, act: () => Promise<Answer>): Promise<Answer> {
  await alice.post(`${path}/plan`, plan);
  return act();
}

interface Place {
  readonly room: string;
  readonly other: string;
}

/** By method of the api: its arguments, and the callbacks that Synapse calls then. */
const calls: [string, (place: Place) => object, string[]][] = [
  [
    "create_and_send_event_into_room",
    ({ room }) => ({
      event_dict: {
        type: "m.room.message",
        room_id: room,
        sender: alice.userId,
        content: { msgtype: "m.text", body: "nested" },
      },
    }),
    ["check_event_allowed", "check_event_for_spam", "on_new_event"],
  ],
  [
    "update_room_membership", // an invite, in another room
    ({ other }) => ({
      ...{ sender: alice.userId, target: "@x:test.localhost", room_id: other, new_membership: "invite" },
    }),
    ["user_may_invite", "check_event_allowed", "on_new_event"],
  ],
  [
    "update_room_membership", // a join, of another room
    ({ other }) => ({
      ...{ sender: bob.userId, target: bob.userId, room_id: other, new_membership: "join" },
    }),
    ["user_may_join_room", "check_event_allowed", "on_new_event"],
  ],
  [
    "create_room",
    () => ({ user_id: alice.userId, config: { preset: "public_chat", visibility: "public" } }),
    [
      "on_create_room",
      "user_may_create_room",
      "check_event_allowed",
      "check_visibility_can_be_modified",
      "on_new_event",
    ],
  ],
  [
    "register_user",
    ({ room }) => ({
      localpart: `made-${room.slice(1, 9).toLowerCase().replaceAll("_", "-")}`,
      emails: [`${room.slice(1, 9)}@example.org`],
    }),
    ["check_registration_for_spam", "on_add_user_third_party_identifier", "on_threepid_bind"],
  ],
  [
    "set_displayname", // Synapse goes on to all the user's rooms by itself
    ({ room }) => ({ user_id: alice.userId, new_displayname: `Alice in ${room}` }),
    ["on_profile_update", "user_may_join_room", "check_event_allowed", "on_new_event"],
  ],
  [
    "account_data_manager.put_global",
    ({ room }) => ({ user_id: alice.userId, data_type: "org.example", new_data: { room } }),
    [],
  ],
  ["delete_room", ({ other }) => ({ room_id: other }), ["check_can_shutdown_room", "check_event_allowed"]],
  ["set_presence_for_users", () => ({ users: { [alice.userId]: ["online", null] } }), []],
];

/** Callbacks that wait for the module, and what makes Synapse ask them. */
const gates: [string, (place: Place) => { where: object; act: () => Promise<Answer> }][] = [
  ["user_may_join_room", ({ room }) => ({ where: { room, user: bob.userId }, act: () => bob.join(room) })],
  [
    "check_event_allowed",
    ({ room }) => ({
      where: { room_id: room, type: "m.room.message" },
      act: () => alice.say(room, "outer"),
    }),
  ],
  ["on_create_room", () => ({ where: {}, act: () => bob.createRoom() })],
];

describe.each(gates)("inside %s", (inside, gate) => {
  test.each(calls)("%s works, and is asked about itself", async (method, params, callbacks) => {
    const place = { room: await newRoom(), other: await newRoom() };
    const { where, act } = gate(place);
    const plan = { inside, where, method, params: params(place), awaited: true };
    expect(await planned(plan, act)).toMatchObject({ status: 200 });
    expect((await told()).outcome).toEqual({ ok: true });
    await waitFor("its callbacks", async () => {
      const { seen } = await told();
      return callbacks.every((name) => seen.includes(name));
    });
    observed(32, { outcome: "done; 200" });
  });
});

describe("a membership of the very room that a callback decides about", () => {
  type Outer = (room: string) => Promise<{ where: object; act: () => Promise<Answer> }>;
  const outers: [string, Outer][] = [
    [
      "user_may_join_room",
      async (room) => {
        const user = await newUser();
        return { where: { room }, act: () => user.join(room) };
      },
    ],
    [
      "user_may_invite",
      async (room) => {
        const user = await newUser();
        return { where: { room_id: room }, act: () => alice.invite(room, user.userId) };
      },
    ],
    [
      "check_event_allowed",
      async (room) => {
        const user = await newUser();
        await user.join(room);
        return { where: { room_id: room, type: "m.room.member" }, act: () => user.leave(room) };
      },
    ],
  ];

  const invite = (room: string, target: Client) => ({
    ...{ sender: alice.userId, target: target.userId, room_id: room, new_membership: "invite" },
  });

  async function expectUsable(room: string): Promise<void> {
    const [one, two] = [await newUser(), await newUser()];
    expect(await one.join(room)).toMatchObject({ status: 200 });
    expect(await alice.invite(room, two.userId)).toMatchObject({ status: 200 });
    expect(await two.join(room)).toMatchObject({ status: 200 });
    expect(await one.leave(room)).toMatchObject({ status: 200 });
  }

  test.each(outers)("awaited in %s is an error, and changes nothing", async (inside, outer) => {
    const room = await newRoom();
    const target = await newUser();
    const { where, act } = await outer(room);
    const params = invite(room, target);
    const plan = { inside, where, method: "update_room_membership", params, awaited: true };
    expect(await planned(plan, act)).toMatchObject({ status: 200 });
    const { outcome } = await told();
    expect(outcome.kind).toBe("membership_locked");
    expect(outcome.error).toContain("without awaiting");
    await expectUsable(room);
    expect(await alice.getState(room, "m.room.member", target.userId)).toMatchObject({ status: 404 });
    expect(server.log()).not.toMatch(/outcome=(fault|policy)/);
    expect(contextWarnings(server).filter((line) => !ownWarning.test(line))).toEqual([]);
    observed(32, { outcome: "an error to the module, 200 to the client; the room is usable" });
  });

  test("not awaited is done after the callback, though the next module takes its time", async () => {
    const room = await newRoom();
    const [target, late] = [await newUser(), await registerUser(server, "late")];
    const params = invite(room, target);
    const plan = { inside: "user_may_join_room", where: { room }, method: "update_room_membership", params };
    const answer = await planned({ ...plan, awaited: false }, () => late.join(room));
    expect(answer).toMatchObject({ status: 200 });
    expect((await ended()).outcome).toEqual({ ok: true });
  });

  test.each(outers)("not awaited in %s is done after it", async (inside, outer) => {
    const room = await newRoom();
    const target = await newUser();
    const { where, act } = await outer(room);
    const params = invite(room, target);
    const plan = { inside, where, method: "update_room_membership", params, awaited: false };
    expect(await planned(plan, act)).toMatchObject({ status: 200 });
    expect((await ended()).outcome).toEqual({ ok: true });
    const { body } = await alice.getState(room, "m.room.member", target.userId);
    expect(body).toMatchObject({ membership: "invite" });
    await expectUsable(room);
  });
});

/** The bridge on an older Synapse: modules decide there as well, and a callback that it lacks is told at start. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { registerUser } from "../support/client.js";
import { HomeserverStartError } from "../support/homeserver.js";
import { projectRoot } from "../support/paths.js";
import { type OlderSynapse, olderSynapse } from "./older.js";

const example = (name: string) => join(projectRoot, "examples", `${name}.ts`);
let older: OlderSynapse;
let start: OlderSynapse["start"];
/** A module of that name with these callbacks. */
let write: (name: string, callbacks: string) => string;
let newer: string;

beforeAll(async () => {
  older = await olderSynapse();
  start = older.start;
  write = (name, callbacks) => {
    const path = join(older.folder, `${name}.ts`);
    writeFileSync(
      path,
      `import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";
       export default defineModule({ callbacks: { ${callbacks} } });`,
    );
    return path;
  };
  newer = write("newer", "user_may_send_state_event: () => NOT_SPAM");
}, 300_000);

afterAll(() => older?.remove());

test("modules refuse, rewrite and edit on it", async () => {
  const server = await start({
    modules: [
      { path: example("no-links"), config: { allowed_domains: ["example.org"] } },
      { path: example("mask-card-numbers") },
      { path: example("block-invites"), config: { allowed_domains: ["test.localhost"] } },
      { path: example("room-defaults"), config: {} },
    ],
  });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    const visibility = await alice.getState(room_id, "m.room.history_visibility");
    expect(visibility.body).toEqual({ history_visibility: "invited" });
    expect(await alice.say(room_id, "https://casino.example")).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN", "org.example.refused_link": "casino.example" },
    });
    const paid = await alice.say(room_id, "4111 1111 1111 1111");
    const read = await alice.event(room_id, paid.body.event_id);
    expect(read.body.content.body).toBe("[card number ending in 1111]");
    expect(await alice.invite(room_id, "@carol:spam.example")).toMatchObject({ status: 403 });
    const stats = await alice.get("/_synapse/client/block_invites/stats");
    expect(stats.body).toEqual({ refused: { [alice.userId]: 1 } });
    expect(server.log()).not.toMatch(/outcome=(fault|policy)/);
  } finally {
    await server.stop();
  }
}, 90_000);

test("a callback that it lacks stops it, and the last line says what to do", async () => {
  const failure = await start({ modules: [{ path: newer }] }).catch((error) => error);
  expect(failure).toBeInstanceOf(HomeserverStartError);
  expect(failure.exitCode).toBe(1);
  expect(failure.stderr.trim().split("\n").at(-1)).toMatch(
    /newer implements user_may_send_state_event, which this Synapse \(1\.130\.0\) lacks: it came with 1\.132\.0\. Upgrade Synapse, or set callbacks\.user_may_send_state_event\.optional/,
  );
}, 90_000);

test("`optional: true` lets it start without that callback", async () => {
  const server = await start({
    modules: [{ path: newer }, { path: example("no-links"), config: { allowed_domains: [] } }],
    callbacks: { user_may_send_state_event: { optional: true } },
  });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    expect(await alice.setState(room_id, "m.room.topic", "", { topic: "t" })).toMatchObject({ status: 200 });
    expect(await alice.say(room_id, "https://casino.example")).toMatchObject({ status: 403 });
  } finally {
    await server.stop();
  }
}, 90_000);

test("a parameter that it does not give is undefined to a handler", async () => {
  const path = write(
    "rooms",
    `user_may_create_room: ({ user_id, ...rest }) =>
       user_id.startsWith("@bob:") ? [Codes.FORBIDDEN, { absent: rest.room_config === undefined }] : NOT_SPAM`,
  );
  const server = await start({ modules: [{ path }] });
  try {
    const [alice, bob] = [await registerUser(server, "alice"), await registerUser(server, "bob")];
    expect(await alice.createRoom({ preset: "public_chat" })).toMatchObject({ status: 200 });
    expect(await bob.createRoom()).toMatchObject({ status: 403, body: { absent: true } });
    expect(server.log()).not.toMatch(/outcome=(fault|policy)/);
  } finally {
    await server.stop();
  }
}, 90_000);

test("clients get the codes that it does not have, whether a module answers or throws them", async () => {
  const path = write(
    "codes",
    `user_may_invite: ({ invitee }) => {
       if (invitee.startsWith("@fields:")) return [Codes.INVITE_BLOCKED, { "org.example.why": 1 }];
       if (invitee.startsWith("@error:")) throw new SynapseError(403, "no", Codes.INVITE_BLOCKED);
       return Codes.INVITE_BLOCKED;
     },
     check_event_for_spam: () => Codes.USER_LIMIT_EXCEEDED`,
  );
  const server = await start({ modules: [{ path }] });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    const blocked = { errcode: "M_INVITE_BLOCKED" };
    for (const [name, body] of [
      ["code", blocked],
      ["fields", { ...blocked, "org.example.why": 1 }],
      ["error", { ...blocked, error: "no" }],
    ] as const) {
      expect(await alice.invite(room_id, `@${name}:test.localhost`)).toMatchObject({ status: 403, body });
    }
    expect(await alice.say(room_id, "hello")).toMatchObject({
      status: 403,
      body: { errcode: "M_USER_LIMIT_EXCEEDED" },
    });
    expect(server.log()).not.toMatch(/outcome=(fault|policy)|invalid value/);
  } finally {
    await server.stop();
  }
}, 90_000);

test("a match on such a parameter stops it, and the last line names the module, the key and the version", async () => {
  const path = write(
    "public-rooms",
    `user_may_create_room: { match: { "room_config.preset": ["public_chat"] }, handler: () => Codes.FORBIDDEN }`,
  );
  const failure = await start({ modules: [{ path }] }).catch((error) => error);
  expect(failure).toBeInstanceOf(HomeserverStartError);
  expect(failure.stderr.trim().split("\n").at(-1)).toMatch(
    /public-rooms: callbacks\.user_may_create_room\.match\["room_config\.preset"\] can never hold: this Synapse \(1\.130\.0\) calls user_may_create_room without room_config, which came with 1\.132\.0\. Upgrade Synapse, or leave the condition out/,
  );
}, 90_000);

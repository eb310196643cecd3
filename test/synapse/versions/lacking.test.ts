// The bridge on the Synapse under test: modules decide there, and what an older one lacks is told when it starts.
import { afterAll, expect, test } from "@jest/globals";
import { bridge, examplePath } from "../../support/bridge.js";
import { registerUser } from "../../support/client.js";
import { HomeserverStartError, startHomeserver } from "../../support/homeserver.js";
import { isLacking, lackingSince, optional, subject } from "../../support/subject.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const { version } = subject();
const folder = temporaryFolder();
afterAll(() => folder.remove());

const start = (config: object) => startHomeserver({ modules: [bridge({ ...config })] });

/** A module of that name with these callbacks. */
const write = (name: string, callbacks: string) =>
  folder.write(
    `${name}.ts`,
    `import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";
     export default defineModule({ callbacks: { ${callbacks} } });`,
  );

/** The last line that a Synapse which did not start has printed: it has all problems. */
const lastLine = (failure: unknown) => {
  expect(failure).toBeInstanceOf(HomeserverStartError);
  const { exitCode, stderr } = failure as HomeserverStartError;
  expect(exitCode).toBe(1);
  return stderr.trim().split("\n").at(-1);
};

test("modules refuse, rewrite and edit on it", async () => {
  const server = await start({
    modules: [
      { path: examplePath("no-links.ts"), config: { allowed_domains: ["example.org"] } },
      { path: examplePath("mask-card-numbers.ts") },
      { path: examplePath("block-invites.ts"), config: { allowed_domains: ["test.localhost"] } },
      { path: examplePath("room-defaults.ts"), config: {} },
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

const callbacks = [...lackingSince];
const newer = () => write("newer", callbacks.map(([name]) => `${name}: () => NOT_SPAM`).join(", "));
const testIf = (any: boolean) => (any ? test : test.skip);

testIf(callbacks.length > 0)(
  "each callback that it lacks stops it, and the last line says what to do",
  async () => {
    const failure = await start({ modules: [{ path: newer() }] }).catch((error) => error);
    const told = lastLine(failure);
    for (const [name, since] of callbacks)
      expect(told).toContain(
        `newer implements ${name}, which this Synapse (${version}) lacks: it came with ${since}. ` +
          `Upgrade Synapse, or set callbacks.${name}.optional to true`,
      );
  },
  90_000,
);

testIf(callbacks.length > 0)(
  "`optional: true` lets it start without them",
  async () => {
    const noLinks = { path: examplePath("no-links.ts"), config: { allowed_domains: [] } };
    const server = await start({ modules: [{ path: newer() }, noLinks], callbacks: optional });
    try {
      const alice = await registerUser(server, "alice");
      const { room_id } = (await alice.createRoom()).body;
      const topic = await alice.setState(room_id, "m.room.topic", "", { topic: "t" });
      expect(topic).toMatchObject({ status: 200 });
      expect(await alice.say(room_id, "https://casino.example")).toMatchObject({ status: 403 });
    } finally {
      await server.stop();
    }
  },
  90_000,
);

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
    const absent = isLacking("1.132.0");
    expect(await bob.createRoom()).toMatchObject({ status: 403, body: { absent } });
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

const parameters = [
  ["user_may_create_room", "room_config", '"room_config.preset": ["public_chat"]', "1.132.0"],
  ["check_username_for_spam", "requester_id", 'requester_id: ["@a:example.org"]', "1.122.0"],
] as const;
const absentParameters = parameters.filter(([, , , since]) => isLacking(since));

testIf(absentParameters.length > 0)(
  "a match on such a parameter stops it, and the last line names the module, the key and the version",
  async () => {
    const entries = absentParameters.map(
      ([name, , match]) => `${name}: { match: { ${match} }, handler: () => Codes.FORBIDDEN }`,
    );
    const failure = await start({ modules: [{ path: write("picky", entries.join(", ")) }] }).catch(
      (error) => error,
    );
    const told = lastLine(failure);
    for (const [name, parameter, , since] of absentParameters) {
      expect(told).toContain(`picky: callbacks.${name}.match["${parameter}`);
      expect(told).toContain(
        `can never hold: this Synapse (${version}) calls ${name} without ${parameter}, which came with ${since}. ` +
          "Upgrade Synapse, or leave the condition out",
      );
    }
  },
  90_000,
);

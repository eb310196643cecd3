// The port of synapse-room-access-rules against the original: which rooms may be made, and what may happen in them.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Certificates, makeCertificates } from "../../support/certificates.js";
import { type Answer, type Body, type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type IdentityServer, startIdentityServer } from "../../support/identity-server.js";
import { shown } from "../differential/normal.js";
import { newRooms, RULES, rule } from "./new-rooms.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

let certificates: Certificates;
let identity: IdentityServer;
let remote: Homeserver;
let rita: Client;
let pair: Pair;

beforeAll(async () => {
  certificates = makeCertificates();
  identity = await startIdentityServer(certificates);
  remote = await startHomeserver({ federation: certificates });
  rita = await registerUser(remote, "rita");
  const config = {
    id_server: identity.name,
    domains_forbidden_when_restricted: ["forbidden.example", remote.serverName],
  };
  pair = await startPair({
    original: [{ module: "room_access_rules.RoomAccessRules", config }],
    port: { path: "room-access-rules.ts", config },
    bridge: { env: ["NODE_EXTRA_CA_CERTS"] },
    options: {
      federation: certificates,
      env: { NODE_EXTRA_CA_CERTS: certificates.certificatePath },
      extraConfig: { default_room_version: "11" },
    },
  });
  for (const { names } of [pair.original, pair.port]) names.set(remote.serverName, "<remote>");
}, START_LIMIT_MS);

afterAll(async () => {
  await pair?.stop();
  await remote?.stop();
  await identity?.close();
  certificates?.remove();
}, 30_000);

interface People {
  readonly side: Side;
  readonly alice: Client;
  readonly bob: Client;
  readonly carol: Client;
  /** A room of alice's, which must come to be. */
  room(options?: Body): Promise<string>;
}

let scenarios = 0;

/** Does the same on both sides, each with fresh users, and compares all answers; gives their statuses. */
async function statuses(act: (people: People) => Promise<Answer[]>): Promise<number[]> {
  scenarios += 1;
  const name = String(scenarios);
  const outcome = await pair.alike(async (side) => (await act(await people(side, name))).map(shown));
  return outcome.map(({ status }: { status: number }) => status);
}

async function people(side: Side, name: string): Promise<People> {
  const user = (localpart: string) => side.user(`${localpart}-${name}`);
  const [alice, bob, carol] = [await user("alice"), await user("bob"), await user("carol")];
  const room = async (options: Body = {}) => {
    const { status, body, text } = await alice.createRoom(options);
    if (status !== 200) throw new Error(`no room: ${text}`);
    side.names.set(body.room_id, "<room>");
    return body.room_id;
  };
  return { side, alice, bob, carol, room };
}

describe("a new room", () => {
  test.each(newRooms)("%s", async (_title, options, status) => {
    scenarios += 1;
    const name = `alice-${scenarios}`;
    const outcome = await pair.alike(async (side) => {
      const alice = await side.user(name);
      side.names.set(alice.userId, "<alice>");
      const created = await alice.createRoom(options);
      const state = created.status === 200 ? (await alice.roomState(created.body.room_id)).body : [];
      const shownState = state.map(({ type, state_key, content }: Body) => [`${type} ${state_key}`, content]);
      return { answer: shown(created), state: Object.fromEntries(shownState) };
    });
    expect(outcome.answer.status).toBe(status);
    if (status === 200) expect(outcome.state[`${RULES} `]).toBeDefined();
  });
});

describe("in a restricted room", () => {
  test("nobody of a forbidden server is invited, and all others are", async () => {
    const outcome = await statuses(async ({ alice, bob, room }) => {
      const id = await room();
      return [
        await alice.invite(id, "@a:forbidden.example"),
        await alice.invite(id, bob.userId),
        await bob.join(id),
        await bob.invite(id, "@a:forbidden.example"),
        await bob.leave(id),
      ];
    });
    expect(outcome).toEqual([403, 200, 200, 403, 200]);
  });

  test("nobody of a forbidden server joins, also not through us", async () => {
    const outcome = await statuses(async ({ side, room }) => {
      const id = await room({ preset: "public_chat" });
      return [await rita.join(id, [side.server.serverName])];
    });
    expect(outcome).toEqual([403]);
  });

  test("an email is asked about, and a homeserver that is forbidden or unknown is refused", async () => {
    const outcome = await statuses(async ({ alice, room }) => {
      const id = await room();
      const invite = (address: string, medium = "email") =>
        alice.inviteThreepid(id, { id_server: identity.name, id_access_token: "token", medium, address });
      return [
        await invite("a@allowed.example"),
        await invite("a@forbidden.example"),
        await invite("a@allowed.example,b@forbidden.example"),
        await invite("A <a@allowed.example>"),
        await invite("447700900000", "msisdn"),
      ];
    });
    expect(outcome).toEqual([200, 403, 403, 403, 403]);
  });

  test("the rule can become unrestricted, and never goes back", async () => {
    const outcome = await statuses(async ({ alice, bob, room }) => {
      const id = await room({ invite: [bob.userId] });
      const change = (name: unknown) => alice.setState(id, RULES, "", { rule: name });
      await bob.join(id);
      return [
        await change("direct"),
        await change("friendly"),
        await alice.setState(id, RULES, "", {}),
        await bob.setState(id, RULES, "", { rule: "unrestricted" }),
        await change("unrestricted"),
        await change("restricted"),
        await alice.invite(id, "@a:test.localhost"),
      ];
    });
    expect(outcome.slice(0, 6)).toEqual([403, 403, 403, 403, 200, 403]);
  });

  test("the rule stays while the room is published", async () => {
    const outcome = await statuses(async ({ alice, room }) => {
      const id = await room({ preset: "public_chat", visibility: "public" });
      return [
        await alice.setState(id, RULES, "", { rule: "unrestricted" }),
        await alice.setVisibility(id, "private"),
        await alice.setState(id, RULES, "", { rule: "unrestricted" }),
        await alice.setVisibility(id, "public"),
        await alice.setVisibility(id, "private"),
      ];
    });
    expect(outcome).toEqual([403, 200, 200, 403, 200]);
  });
});

describe("in an unrestricted room", () => {
  const unrestricted = { preset: "public_chat", initial_state: [rule("unrestricted")] };

  test("somebody of a forbidden server joins if invited", async () => {
    const outcome = await statuses(async ({ side, alice, room }) => {
      const id = await room(unrestricted);
      const uninvited = await rita.join(id, [side.server.serverName]);
      const invited = await alice.invite(id, rita.userId);
      return [uninvited, invited, await rita.join(id, [side.server.serverName])];
    });
    expect(outcome).toEqual([403, 200, 200]);
  });

  test("power is for nobody by default, nor for a forbidden server", async () => {
    const outcome = await statuses(async ({ alice, bob, room }) => {
      const id = await room(unrestricted);
      const { body } = await alice.getState(id, "m.room.power_levels");
      const change = (content: Body) =>
        alice.setState(id, "m.room.power_levels", "", { ...body, ...content });
      const withPower = (user: string, level: number) => change({ users: { ...body.users, [user]: level } });
      return [
        await change({ users_default: 1 }),
        await withPower("@a:forbidden.example", 50),
        await withPower("@a:forbidden.example", 0),
        await withPower(bob.userId, 50),
        await change({ invite: 0 }),
      ];
    });
    expect(outcome).toEqual([403, 403, 200, 200, 200]);
  });
});

describe("in a direct room", () => {
  test("there are two, for ever", async () => {
    const outcome = await statuses(async ({ alice, bob, carol, room }) => {
      const id = await room({ is_direct: true });
      return [
        await alice.invite(id, bob.userId),
        await bob.join(id),
        await alice.invite(id, carol.userId),
        await bob.leave(id),
        await alice.invite(id, carol.userId),
        await alice.invite(id, bob.userId),
      ];
    });
    expect(outcome).toEqual([200, 200, 403, 200, 403, 200]);
  });

  test("one invite by email can be under way", async () => {
    const outcome = await statuses(async ({ alice, bob, room }) => {
      const id = await room({ is_direct: true });
      const invite = (address: string) =>
        alice.inviteThreepid(id, {
          ...{ id_server: identity.name, id_access_token: "token" },
          ...{ medium: "email", address },
        });
      const first = await invite("a@forbidden.example");
      const second = await invite("b@allowed.example");
      const state = (await alice.roomState(id)).body as { type: string; state_key: string }[];
      const token = state.find(({ type }) => type === "m.room.third_party_invite")?.state_key ?? "";
      return [
        first,
        second,
        await alice.invite(id, bob.userId),
        await alice.setState(id, "m.room.third_party_invite", token, {}),
        await alice.invite(id, bob.userId),
      ];
    });
    expect(outcome).toEqual([200, 403, 403, 200, 200]);
  });

  test("there is no name, topic or avatar, it is not public, and messages are as ever", async () => {
    const outcome = await statuses(async ({ alice, room }) => {
      const id = await room({ is_direct: true });
      return [
        await alice.setState(id, "m.room.name", "", { name: "no" }),
        await alice.setState(id, "m.room.topic", "", { topic: "no" }),
        await alice.setState(id, "m.room.avatar", "", { url: "mxc://a/b" }),
        await alice.setState(id, "m.room.join_rules", "", { join_rule: "public" }),
        await alice.setState(id, "m.room.join_rules", "", { join_rule: "knock" }),
        await alice.setVisibility(id, "public"),
        await alice.say(id, "hello"),
      ];
    });
    expect(outcome).toEqual([403, 403, 403, 403, 200, 403, 200]);
  });
});

describe("intended differences", () => {
  test("in room version 12 the original cannot make a room, and the port can", async () => {
    const { original, port } = await pair.each(async (side) =>
      shown(await (await side.user("creator")).createRoom({ room_version: "12" })),
    );
    expect(original.status).toBe(400);
    expect(port.status).toBe(200);
  });

  test("an email that the identity server fails to answer about is invited by the original, and not by the port", async () => {
    const { original, port } = await pair.each(async (side) => {
      const alice = await side.user("inviter");
      const { room_id } = (await alice.createRoom()).body;
      const threepid = { medium: "email", address: "a@unknown.example" };
      return shown(
        await alice.inviteThreepid(room_id, {
          id_server: identity.name,
          id_access_token: "token",
          ...threepid,
        }),
      );
    });
    expect(original.status).toBe(200); // Synapse takes an exception here for a yes
    expect(port.status).toBe(403); // the bridge's policy for this callback is `deny`
  });
});

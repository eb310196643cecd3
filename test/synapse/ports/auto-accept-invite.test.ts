// The port of synapse-auto-accept-invite against the original: who joins, and what is marked as direct.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Certificates, makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

let certificates: Certificates;
let remote: Homeserver;
let rita: Client;

beforeAll(async () => {
  certificates = makeCertificates();
  remote = await startHomeserver({ federation: certificates });
  rita = await registerUser(remote, "rita");
}, START_LIMIT_MS);

afterAll(async () => {
  await remote?.stop();
  certificates?.remove();
});

const grants = ["update_room_membership", "account_data_manager.put_global"];

function start(config: Record<string, boolean>): Promise<Pair> {
  return startPair({
    original: [{ module: "synapse_auto_accept_invite.InviteAutoAccepter", config }],
    port: { path: "auto-accept-invite.ts", config, grants },
    options: { federation: certificates },
  });
}

async function membership(reader: Client, room: string, user: string): Promise<string | undefined> {
  return (await reader.getState(room, "m.room.member", user)).body.membership;
}

const joined = (reader: Client, room: string, user: string) =>
  waitFor(
    `${user} to join`,
    async () => ((await membership(reader, room, user)) === "join" ? "join" : undefined),
    20_000,
  );

/** The rooms that a user's client takes for direct ones, once there are `count` of them. */
const direct = (user: Client, count: number) =>
  waitFor(`${count} direct rooms`, async () => {
    const { body } = await user.get(`/_matrix/client/v3/user/${user.userId}/account_data/m.direct`);
    return Object.values(body).flat().length === count ? body : undefined;
  });

/** Invites somebody who is accepted for in any case, so that what came before has been dealt with. */
async function settle(side: Side, alice: Client, name: string): Promise<void> {
  const bob = await side.user(name);
  const { room_id } = (await alice.createRoom({ is_direct: true, invite: [bob.userId] })).body;
  await joined(alice, room_id, bob.userId);
}

async function directInvite(inviter: Client, user: Client): Promise<string> {
  return (await inviter.createRoom({ is_direct: true, invite: [user.userId] })).body.room_id;
}

describe("by default", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await start({});
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test("local users join, and direct rooms are marked, also when there were some", async () => {
    const outcome = await pair.alike(async (side) => {
      const [alice, bob] = [await side.user("alice"), await side.user("bob")];
      const plain = (await alice.createRoom({ invite: [bob.userId] })).body.room_id;
      const first = await directInvite(alice, bob);
      await direct(bob, 1); // account data has no order: two at once may lose one, in either language
      const second = await directInvite(alice, bob);
      side.names.set(first, "<first>").set(second, "<second>");
      const memberships = [plain, first, second].map((room) => joined(alice, room, bob.userId));
      return { memberships: await Promise.all(memberships), marked: await direct(bob, 2) };
    });
    const marked = { "@alice:<server>": ["<first>", "<second>"] };
    expect(outcome).toEqual({ memberships: ["join", "join", "join"], marked });
  });

  test("account data that is no list is left alone", async () => {
    const outcome = await pair.alike(async (side) => {
      const [carol, dave] = [await side.user("carol"), await side.user("dave")];
      const path = `/_matrix/client/v3/user/${dave.userId}/account_data/m.direct`;
      await dave.put(path, { [carol.userId]: "what is this?" });
      const room = await directInvite(carol, dave);
      await joined(carol, room, dave.userId);
      return (await dave.get(path)).body;
    });
    expect(outcome).toEqual({ "@carol:<server>": "what is this?" });
  });

  test("invites of another server are accepted too, and those to it are none of our business", async () => {
    const outcome = await pair.alike(async (side) => {
      const erin = await side.user("erin");
      const incoming = await directInvite(rita, erin);
      await joined(rita, incoming, erin.userId);
      const outgoing = await directInvite(erin, rita);
      await settle(side, erin, "fred");
      return {
        membership: await membership(erin, outgoing, rita.userId),
        direct: (await direct(erin, 1))[rita.userId].length,
      };
    });
    expect(outcome).toEqual({ membership: "invite", direct: 1 });
  });
});

test(
  "only direct messages are accepted where that is asked for",
  async () => {
    const pair = await start({ accept_invites_only_for_direct_messages: true });
    try {
      const outcome = await pair.alike(async (side) => {
        const [alice, bob] = [await side.user("alice"), await side.user("bob")];
        const plain = (await alice.createRoom({ invite: [bob.userId] })).body.room_id;
        await settle(side, alice, "carol");
        return membership(alice, plain, bob.userId);
      });
      expect(outcome).toBe("invite");
    } finally {
      await pair.stop();
    }
  },
  START_LIMIT_MS,
);

test(
  "only local users are accepted where that is asked for",
  async () => {
    const pair = await start({ accept_invites_only_from_local_users: true });
    try {
      const outcome = await pair.alike(async (side) => {
        const [alice, bob] = [await side.user("alice"), await side.user("bob")];
        const room = await directInvite(rita, bob);
        await settle(side, alice, "carol");
        return membership(rita, room, bob.userId);
      });
      expect(outcome).toBe("invite");
    } finally {
      await pair.stop();
    }
  },
  START_LIMIT_MS,
);

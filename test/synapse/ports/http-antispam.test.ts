// The port of synapse-http-antispam against the original: what the antispam server is asked, and what clients get for its answers.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Certificates, makeCertificates } from "../../support/certificates.js";
import { type Answer, type Body, Client, password, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type IdentityServer, startIdentityServer } from "../../support/identity-server.js";
import { type JsonService, type Reply, startJsonService } from "../../support/json-service.js";
import { shown } from "../differential/normal.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

const authorization = "the antispam server's token";
const callbacks = [
  "check_event_for_spam",
  "check_login_for_spam",
  "federated_user_may_invite",
  "user_may_create_room",
  "user_may_invite",
  "user_may_join_room",
  "user_may_publish_room",
  "user_may_send_3pid_invite",
];

let certificates: Certificates;
let identity: IdentityServer;
let remote: Homeserver;
let rita: Client;
let services: Record<"original" | "port", JsonService>;
let pair: Pair;
/** What the servers answer to each callback; by default they allow. */
const replies = new Map<string, Reply>();

const answer = async ({ path, body }: Body): Promise<Reply> =>
  path === "/ping" ? { body: { id: body.id, status: "ok" } } : (replies.get(path.slice(1)) ?? {});

beforeAll(async () => {
  certificates = makeCertificates();
  identity = await startIdentityServer(certificates);
  remote = await startHomeserver({ federation: certificates });
  rita = await registerUser(remote, "rita");
  services = { original: await startJsonService(answer), port: await startJsonService(answer) };
  const config = (side: "original" | "port") => ({
    ...{ base_url: services[side].url, authorization, enabled_callbacks: callbacks, do_ping: true },
    ...{ fail_open: { user_may_publish_room: true } },
  });
  pair = await startPair({
    original: [{ module: "synapse_http_antispam.HTTPAntispam", config: config("original") }],
    port: { path: "http-antispam.ts", config: config("port") },
    options: { federation: certificates },
  });
}, START_LIMIT_MS);

afterAll(async () => {
  await pair?.stop();
  for (const service of Object.values(services ?? {})) await service.close();
  await remote?.stop();
  await identity?.close();
  certificates?.remove();
});

const service = (side: Side) => (side === pair.original ? services.original : services.port);

/** What a scenario made a side ask, by the callbacks that are named. */
async function asking(side: Side, names: readonly string[], scenario: () => Promise<unknown>) {
  const { asked } = service(side);
  const from = asked.length;
  await scenario();
  return asked
    .slice(from)
    .filter(({ path }) => names.includes(path.slice(1)))
    .map(({ method, path, headers, body }) => [method, path, headers.authorization, body]);
}

test("both servers are pinged until they answer", async () => {
  for (const { asked } of Object.values(services)) {
    const pings = await waitFor("a ping", () => {
      const found = asked.filter(({ path }) => path === "/ping");
      return found.length > 0 ? found : undefined;
    });
    expect(pings).toHaveLength(1);
    expect(pings[0]?.headers.authorization).toBe(`Bearer ${authorization}`);
  }
});

interface Scenario {
  readonly callback: string;
  /** Makes Synapse ask, and gives what the client gets. */
  act(side: Side, people: People): Promise<Answer>;
  /** The fields that the server is asked about. */
  readonly fields: readonly string[];
}

const scenarios: readonly Scenario[] = [
  {
    callback: "check_event_for_spam",
    fields: ["event"],
    act: (_, { alice, room }) => alice.say(room, "☃"),
  },
  {
    callback: "check_login_for_spam",
    fields: ["auth_provider_id", "device_id", "initial_display_name", "request_info", "user_id"],
    act: ({ server }) =>
      new Client(server.baseUrl).login("alice", password, { initial_device_display_name: "Phone" }),
  },
  {
    callback: "user_may_create_room",
    fields: ["user_id"],
    act: (_, { alice }) => alice.createRoom(),
  },
  {
    callback: "user_may_invite",
    fields: ["invitee", "inviter", "room_id"],
    act: (_, { alice, bob, room }) => alice.invite(room, bob.userId),
  },
  {
    callback: "user_may_join_room",
    fields: ["is_invited", "room", "user"],
    act: (_, { bob, room }) => bob.join(room),
  },
  {
    callback: "user_may_publish_room",
    fields: ["room_id", "user_id"],
    act: (_, { alice, room }) => alice.setVisibility(room, "public"),
  },
  {
    callback: "user_may_send_3pid_invite",
    fields: ["address", "inviter", "medium", "room_id"],
    act: (_, { alice, room }) =>
      alice.inviteThreepid(room, {
        ...{ id_server: identity.name, id_access_token: "token" },
        ...{ medium: "email", address: "a@example.org" },
      }),
  },
];

const answers: readonly [title: string, reply: Reply][] = [
  ["an error of Matrix", { status: 403, body: { errcode: "M_LIMIT_EXCEEDED", error: "not today ☃" } }],
  [
    "an error with more fields",
    { status: 400, body: { errcode: "M_FORBIDDEN", "org.example.a": [1, null] } },
  ],
  ["an error of its own", { status: 403, body: { errcode: "ORG_EXAMPLE_NO", error: "no" } }],
  ["an error without a code", { status: 451, body: { error: "the law" } }],
  ["a redirect", { status: 302, body: {} }],
  ["no JSON", { status: 500, body: "<html>" }],
  ["a yes that is no JSON", { status: 200, body: "yes" }],
  ["no answer", "hangUp"],
];

/** In a public room, which one of them has made. */
interface People {
  readonly alice: Client;
  readonly bob: Client;
  readonly room: string;
}

const users = new Map<Side, { alice: Client; bob: Client }>();

async function people(side: Side): Promise<People> {
  const known = users.get(side) ?? { alice: await side.user("alice"), bob: await side.user("bob") };
  users.set(side, known);
  const { room_id: room } = (await known.alice.createRoom({ preset: "public_chat" })).body;
  if (room === undefined) throw new Error("no room");
  side.names.set(room, "<room>");
  return { ...known, room };
}

describe.each(scenarios)("$callback", ({ callback, act, fields }) => {
  test("asks the same, and a yes allows", async () => {
    const outcome = await pair.alike(async (side) => {
      const there = await people(side);
      let got: Answer | undefined;
      const asked = await asking(side, [callback], async () => {
        got = await act(side, there);
      });
      return { asked, status: got?.status };
    });
    expect(outcome.status).toBe(200);
    expect(outcome.asked.length).toBeGreaterThan(0);
    const [method, path, token, body] = outcome.asked.at(-1);
    expect([method, path, token]).toEqual(["POST", `/${callback}`, `Bearer ${authorization}`]);
    expect(Object.keys(body).sort()).toEqual(fields);
  });

  test.each(answers)("%s does the same", async (_title, reply) => {
    const there = new Map<Side, People>();
    for (const side of [pair.original, pair.port]) there.set(side, await people(side));
    replies.set(callback, reply);
    try {
      const outcome = await pair.alike(async (side) => shown(await act(side, there.get(side) as People)));
      const failsOpen = ["check_event_for_spam", "user_may_publish_room"].includes(callback);
      const isVerdict = typeof reply === "object" && typeof reply.body === "object" && reply.status !== 302;
      expect(outcome.status === 200).toBe(failsOpen && !isVerdict);
    } finally {
      replies.delete(callback);
    }
  });
});

test("an invite from another server is asked about, with the event as clients get it", async () => {
  const outcome = await pair.alike(async (side) => {
    const erin = await side.user("erin");
    return asking(side, ["federated_user_may_invite"], async () => {
      expect((await rita.createRoom({ invite: [erin.userId] })).status).toBe(200);
    });
  });
  const [, , , body] = outcome[0];
  expect(body.event).toMatchObject({ type: "m.room.member", content: { membership: "invite" } });
});

describe("with other callbacks", () => {
  let others: Record<"original" | "port", JsonService>;
  let second: Pair;
  beforeAll(async () => {
    others = { original: await startJsonService(answer), port: await startJsonService(answer) };
    const config = (side: "original" | "port") => ({
      base_url: others[side].url,
      enabled_callbacks: ["check_username_for_spam", "user_may_create_room_alias", "user_may_invite"],
      async: { user_may_invite: true },
    });
    second = await startPair({
      original: [{ module: "synapse_http_antispam.HTTPAntispam", config: config("original") }],
      port: { path: "http-antispam.ts", config: config("port") },
    });
  }, START_LIMIT_MS);
  afterAll(async () => {
    replies.clear();
    await second?.stop();
    for (const one of Object.values(others ?? {})) await one.close();
  });

  const askedOf = (side: Side, callback: string) =>
    others[side === second.original ? "original" : "port"].asked.filter(
      ({ path }) => path === `/${callback}`,
    );

  test("the server is told of what is async, and its answer does not matter", async () => {
    replies.set("user_may_invite", { status: 403, body: {} });
    const outcome = await second.alike(async (side) => {
      const [alice, bob] = [await side.user("alice"), await side.user("bob")];
      const { room_id } = (await alice.createRoom()).body;
      side.names.set(room_id, "<room>");
      const { status } = await alice.invite(room_id, bob.userId);
      await waitFor("the server to be told", () => askedOf(side, "user_may_invite").length > 0);
      return { status, told: askedOf(side, "user_may_invite").map(({ body }) => body) };
    });
    const told = [{ inviter: "@alice:<server>", invitee: "@bob:<server>", room_id: "<room>" }];
    expect(outcome).toEqual({ status: 200, told });
  });

  test("an intended difference: the original refuses all aliases unasked, and the port asks about them", async () => {
    const outcome = await second.each(async (side) => {
      const carol = await side.user("carol");
      const { room_id } = (await carol.createRoom()).body;
      const { status } = await carol.createAlias(`#carol:${side.server.serverName}`, room_id);
      return { status, asked: askedOf(side, "user_may_create_room_alias").map(({ body }) => body) };
    });
    const asked = [{ user_id: "@carol:<server>", room_alias: "#carol:<server>" }];
    expect(outcome).toEqual({ original: { status: 403, asked: [] }, port: { status: 200, asked } });
  });

  test("an intended difference: the original hides everybody from the directory, and the port whom the server refuses", async () => {
    const found = async (side: Side, searcher: string) => {
      const user = await side.user(searcher);
      return waitFor("the directory to ask", async () => {
        const before = askedOf(side, "check_username_for_spam").length;
        const { body } = await user.searchUsers("dora");
        return askedOf(side, "check_username_for_spam").length > before ? [body.results.length] : undefined;
      });
    };
    await second.each(async (side) => (await side.user("dora")).userId);
    expect(await second.each((side) => found(side, "erin"))).toEqual({ original: [0], port: [1] });
    replies.set("check_username_for_spam", { status: 403, body: {} });
    expect(await second.each((side) => found(side, "fred"))).toEqual({ original: [0], port: [0] });
  });
});

test("an intended difference: JSON that is no object is a broken answer for the port, and the end of the request for the original", async () => {
  replies.set("user_may_create_room", { status: 403, body: [] });
  try {
    const { original, port } = await pair.each(async (side) =>
      shown(await (await side.user("frank")).createRoom()),
    );
    expect(original.status).toBe(500);
    expect([port.status, port.body.errcode]).toEqual([403, "M_UNKNOWN"]);
  } finally {
    replies.delete("user_may_create_room");
  }
});

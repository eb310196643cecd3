import { expect, test } from "@jest/globals";
import type { Event, UserId } from "synapse-module-bridge";
import { createTester, event } from "synapse-module-bridge/testing";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import policy from "../../../examples/policies/ban-lists.js";

const list = "!list:example.org";
const own = "@a:example.org";
const room = "!r:example.org";
const users = { [own]: {}, "@admin:example.org": { admin: true }, "@bad:example.org": {} };

const rule = (kind: "user" | "room" | "server", entity: string, recommendation?: string) =>
  event.policyRule(kind, entity, recommendation);
const start = (state: readonly Event[], config = {}) =>
  createTester(policy, { users, rooms: { [list]: { state } }, config: { lists: [list], ...config } });
type Tester = Awaited<ReturnType<typeof start>>;

const asks = {
  invite: (t: Tester, inviter: string, invitee = own) =>
    t.ask("user_may_invite", { inviter, invitee, room_id: room }),
  join: (t: Tester, user: string) => t.ask("user_may_join_room", { user, room }),
  message: (t: Tester, sender: string) =>
    t.ask("check_event_for_spam", { event: event.message(sender, "hello") }),
  search: (t: Tester, user_id: UserId) =>
    t.ask("check_username_for_spam", { user_profile: { user_id, display_name: null, avatar_url: null } }),
};

test.each([
  ["user", "@bad:x.org", "@bad:x.org", true],
  ["user", "@bad:x.org", "@bad:x.orga", false],
  ["user", "@Bad:x.org", "@bad:x.org", false],
  ["user", "@bad*:*", "@bad123:y.org", true],
  ["user", "@b?d:x.org", "@bxd:x.org", true],
  ["user", "@b?d:x.org", "@bd:x.org", false],
  ["user", "@*spam*:*.org", "@aspamb:x.org", true],
  ["user", "@*spam*:*.org", "@aspamb:x.net", false],
  ["user", "*", "@bad:x.org", false],
  ["user", "@*:*", "@bad:x.org", false],
  ["server", "*", "@bad:x.org", false],
  ["server", "X.org", "@any:x.org", true],
  ["server", "x.org", "@any:X.ORG:8448", true],
  ["server", "*.x.org", "@any:a.x.org", true],
  ["server", "*.x.org", "@any:x.org", false],
  ["room", "@bad:x.org", "@bad:x.org", false],
] as const)("a rule about a %s, %s, bans %s: %s", async (kind, entity, user, banned) => {
  await using t = await start([rule(kind, entity)]);
  expect((await asks.invite(t, user)).outcome).toBe(banned ? "refused" : "allowed");
  expect((await asks.invite(t, own, user)).outcome).toBe(banned ? "refused" : "allowed");
  expect((await asks.message(t, user)).outcome).toBe(banned ? "refused" : "allowed");
  expect((await asks.search(t, user)).answer).toBe(banned);
});

test.each([
  ["m.ban", true],
  ["org.matrix.mjolnir.ban", true],
  ["m.takedown", false],
  ["org.example.warn", false],
])("the recommendation %s is applied: %s", async (recommendation, banned) => {
  await using t = await start([rule("user", "@bad:x.org", recommendation)]);
  expect((await asks.message(t, "@bad:x.org")).outcome).toBe(banned ? "refused" : "allowed");
});

test.each(["m.room.rule.user", "org.matrix.mjolnir.rule.user"])(
  "rules of the older type %s count",
  async (type) => {
    await using t = await start([
      event.state(type, "rule:x", { entity: "@bad:x.org", recommendation: "m.ban", reason: "spam" }),
    ]);
    expect((await asks.message(t, "@bad:x.org")).outcome).toBe("refused");
  },
);

test("a local user is banned by a rule about users, not by one about this server", async () => {
  await using t = await start([rule("user", "@bad:*"), rule("server", "example.org")]);
  expect((await asks.join(t, "@bad:example.org")).outcome).toBe("refused");
  expect((await asks.invite(t, "@bad:example.org", "@b:y.org")).outcome).toBe("refused");
  expect((await asks.join(t, own)).outcome).toBe("allowed");
});

test("admins of this server, the reader and the protected are never banned", async () => {
  const reader = event.member("@reader:example.org", "join");
  const state = [reader, rule("user", "@*:example.org"), rule("server", "example.*")];
  await using t = await start(state, { reader: "@reader:example.org", protected: ["@mod-*:example.org"] });
  expect((await asks.join(t, "@admin:example.org")).outcome).toBe("allowed");
  expect((await asks.search(t, "@admin:example.org")).answer).toBe(false);
  expect(await asks.join(t, "@reader:example.org")).toEqual({ asked: false, why: "match" });
  expect(await asks.join(t, "@mod-1:example.org")).toEqual({ asked: false, why: "match" });
  expect((await asks.join(t, own)).outcome).toBe("refused");
});

test("a banned room cannot be joined, nor invited to", async () => {
  await using t = await start([rule("room", room)]);
  expect((await asks.join(t, own)).outcome).toBe("refused");
  expect((await asks.invite(t, own, "@b:y.org")).outcome).toBe("refused");
});

test.each([
  ["a leave", event.member("@bad:x.org", "leave")],
  ["a state event", event.topic("tea", { sender: "@bad:x.org" })],
  ["a redaction", event.redaction("@bad:x.org", "$e")],
  ["a message of a local user", event.message("@bad:example.org", "hello")],
])("%s costs no call", async (_, asked) => {
  await using t = await start([rule("user", "@bad:*")]);
  expect(await t.ask("check_event_for_spam", { event: asked })).toEqual({ asked: false, why: "match" });
});

test("with local_messages, messages of local users are judged", async () => {
  await using t = await start([rule("user", "@bad:*")], { local_messages: true });
  expect((await asks.message(t, "@bad:example.org")).outcome).toBe("refused");
  expect((await asks.message(t, own)).outcome).toBe("allowed");
});

test("a rule that is made, or taken away by a redaction, is in force at once", async () => {
  let state: readonly Event[] = [];
  const api = { get_room_state: async () => state };
  await using t = await createTester(policy, { users, api, config: { lists: [list] } });
  const outcome = async () => (await asks.message(t, "@bad:x.org")).outcome;
  expect(await outcome()).toBe("allowed");
  const made = event.policyRule("user", "@bad:x.org", "m.ban", { room_id: list });
  state = [made];
  await t.ask("on_new_event", { event: made });
  expect(await outcome()).toBe("refused");
  state = [event.state(made.type, "rule:@bad:x.org", {})];
  await t.ask("on_new_event", { event: event.redaction(own, made.event_id, { room_id: list }) });
  await waitFor("the rule to be gone", async () => (await outcome()) === "allowed");
  expect(t.writes.map(({ method }) => method)).toEqual(["broadcast", "broadcast"]);
});

test("however often a list is to be read while it is being read, it is read once more", async () => {
  let readings = 0;
  const api = {
    async get_room_state() {
      readings++;
      return readings > 1 ? [rule("user", "@bad:x.org")] : [];
    },
  };
  // Each time that the config names it, it is to be read.
  await using t = await createTester(policy, { users, api, config: { lists: Array(9).fill(list) } });
  expect((await asks.message(t, "@bad:x.org")).outcome).toBe("refused");
  expect(readings).toBe(2);
});

test("a change that cannot be told is told later", async () => {
  let [state, asked]: [readonly Event[], number] = [[], 0];
  const api = {
    get_room_state: async () => state,
    async broadcast() {
      if (++asked === 1) throw new Error("no database");
    },
  };
  await using t = await createTester(policy, { users, api, config: { lists: [list] } });
  const made = event.policyRule("user", "@bad:x.org", "m.ban", { room_id: list });
  state = [made];
  await t.ask("on_new_event", { event: made });
  expect(t.logs.filter(({ level }) => level === 50)).toMatchObject([
    { list, err: { message: "api.broadcast failed: no database" } },
  ]);
  await waitFor("the second try", () => asked === 2, 10_000);
});

test("a rule that bans an admin is warned of once", async () => {
  await using t = await start([rule("user", "@admin*:example.org")]);
  for (let count = 0; count < 3; count++)
    expect((await asks.join(t, "@admin:example.org")).outcome).toBe("allowed");
  expect(t.logs.filter(({ level }) => level === 40)).toMatchObject([{ user_id: "@admin:example.org" }]);
});

test("events of other rooms change nothing, and cost no call", async () => {
  await using t = await start([]);
  const elsewhere = event.policyRule("user", "@bad:x.org", "m.ban", { room_id: room });
  expect(await t.ask("on_new_event", { event: elsewhere })).toEqual({ asked: false, why: "match" });
});

test("contents that are no rules are passed over", async () => {
  const odd = [
    {},
    { entity: 7 },
    { entity: "@bad:x.org" },
    { entity: "x".repeat(600) },
    { recommendation: "m.ban" },
  ];
  const state = odd.map((content, index) =>
    event.state("m.policy.rule.user", `${index}`, {
      recommendation: index === 2 ? ["m.ban"] : "m.ban",
      ...content,
    }),
  );
  await using t = await start([...state, rule("user", "@worse:x.org")]);
  expect((await asks.message(t, "@bad:x.org")).outcome).toBe("allowed");
  expect((await asks.message(t, "@worse:x.org")).outcome).toBe("refused");
});

test("hostile rules and ids take little time", async () => {
  const state = Array.from({ length: 3000 }, (_, index) =>
    event.state("m.policy.rule.user", `${index}`, {
      entity: `@${"a*".repeat(120)}${index}`,
      recommendation: "m.ban",
    }),
  );
  await using t = await start(state);
  const before = performance.now();
  expect((await asks.message(t, `@${"a".repeat(240)}:x.org`)).outcome).toBe("allowed");
  expect(performance.now() - before).toBeLessThan(1_000);
});

test("the reader joins a list that it is not in", async () => {
  await using t = await start([], { reader: "@reader:example.org", via: ["x.org"] });
  // Once when it is set up, and once more when the reader has joined.
  await waitFor("the second reading", () => t.logs.length === 2);
  expect(t.writes).toMatchObject([
    {
      method: "update_room_membership",
      params: {
        sender: "@reader:example.org",
        room_id: list,
        new_membership: "join",
        remote_room_hosts: ["x.org"],
      },
    },
  ]);
});

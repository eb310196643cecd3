import { expect, test } from "@jest/globals";
import { Codes, NOT_SPAM } from "synapse-module-bridge";
import { createTester, event } from "synapse-module-bridge/testing";
import policy from "../../../examples/policies/new-account-limits.js";

const users = {
  "@new:example.org": { created: "2026-01-09" },
  "@old:example.org": { created: "2020-01-01" },
  "@admin:example.org": { created: "2026-01-09", admin: true },
  "@bridge_x:example.org": { created: "2026-01-09", appservice_id: "bridge" },
};
const start = (config = {}) => createTester(policy, { users, now: "2026-01-10T00:00:00Z", config });
const invite = (inviter: string) => ({ inviter, invitee: "@b:x.org", room_id: "!r:example.org" });

test("a new account sends so many messages in a minute, and is told when it may send again", async () => {
  await using t = await start({ messages_per_minute: 2 });
  const send = () => t.ask("check_event_for_spam", { event: event.message("@new:example.org", "hello") });
  expect(await send()).toEqual({ asked: true, outcome: "allowed", answer: NOT_SPAM });
  t.advance("15s");
  expect(await send()).toMatchObject({ outcome: "allowed" });
  expect(await send()).toEqual({
    asked: true,
    outcome: "refused",
    answer: [Codes.LIMIT_EXCEEDED, { retry_after_ms: 45_000 }],
  });
  t.advance("45s");
  expect(await send()).toMatchObject({ outcome: "allowed" });
});

test("invites of users and of email addresses count together, by the hour", async () => {
  await using t = await start({ invites_per_hour: 2 });
  const mail = {
    inviter: "@new:example.org",
    medium: "email",
    address: "a@x.org",
    room_id: "!r:x.org",
  } as const;
  expect(await t.ask("user_may_invite", invite("@new:example.org"))).toMatchObject({ outcome: "allowed" });
  expect(await t.ask("user_may_send_3pid_invite", mail)).toMatchObject({ outcome: "allowed" });
  expect(await t.ask("user_may_invite", invite("@new:example.org"))).toMatchObject({ outcome: "refused" });
  t.advance("1h");
  expect(await t.ask("user_may_invite", invite("@new:example.org"))).toMatchObject({ outcome: "allowed" });
});

test("an account is new for some days only", async () => {
  await using t = await start({ messages_per_minute: 0, days: 2 });
  const send = () => t.ask("check_event_for_spam", { event: event.message("@new:example.org", "hello") });
  expect(await send()).toMatchObject({ outcome: "refused" });
  t.advance("1d");
  expect(await send()).toMatchObject({ outcome: "allowed" });
});

test.each(["@old:example.org", "@admin:example.org", "@bridge_x:example.org"])(
  "%s has no limit, and is not counted",
  async (user) => {
    await using t = await start({ messages_per_minute: 0, invites_per_hour: 0 });
    const message = { event: event.message(user, "hello") };
    expect(await t.ask("check_event_for_spam", message)).toMatchObject({ outcome: "allowed" });
    expect(await t.ask("user_may_invite", invite(user))).toMatchObject({ outcome: "allowed" });
    expect(t.store.entries()).toEqual([]);
  },
);

test.each([
  ["a user of another server", event.message("@x:remote.org", "hello")],
  ["who is exempt", event.message("@support-1:example.org", "hello")],
  ["a state event", event.topic("tea", { sender: "@new:example.org" })],
  ["a redaction", event.redaction("@new:example.org", "$e")],
])("%s costs no call", async (_, asked) => {
  await using t = await start({ exempt: ["@support-*:example.org"] });
  expect(await t.ask("check_event_for_spam", { event: asked })).toEqual({ asked: false, why: "match" });
});

// Tests the module in memory: no Synapse, milliseconds.
import { Codes, NOT_SPAM } from "synapse-module-bridge";
import { createTester } from "synapse-module-bridge/testing";
import { expect, test } from "vitest";
import module from "../src/newcomer-limits.ts";

const invite = { inviter: "@new:example.org", invitee: "@b:x.org", room_id: "!r:example.org" };
const users = {
  "@new:example.org": { created: "2026-01-09" },
  "@old:example.org": { created: "2020-01-01" },
};
const options = { config: { per_hour: 1 }, now: "2026-01-10T00:00:00Z", users };

test("a new account may send one invite in an hour", async () => {
  const t = await createTester(module, options);
  expect(await t.ask("user_may_invite", invite)).toEqual({
    asked: true,
    outcome: "allowed",
    answer: NOT_SPAM,
  });
  expect(await t.ask("user_may_invite", invite)).toEqual({
    asked: true,
    outcome: "refused",
    answer: Codes.LIMIT_EXCEEDED,
  });
  t.advance("1h");
  expect(await t.ask("user_may_invite", invite)).toMatchObject({ outcome: "allowed" });
  await t.close();
});

test("an old account may send many", async () => {
  const t = await createTester(module, options);
  for (let count = 0; count < 3; count++)
    expect(await t.ask("user_may_invite", { ...invite, inviter: "@old:example.org" })).toMatchObject({
      outcome: "allowed",
    });
  await t.close();
});

test("invites from other servers are not counted", async () => {
  const t = await createTester(module, options);
  expect(await t.ask("user_may_invite", { ...invite, inviter: "@a:x.org" })).toEqual({
    asked: false,
    why: "match",
  });
  await t.close();
});

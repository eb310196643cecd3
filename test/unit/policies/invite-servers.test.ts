import { expect, test } from "@jest/globals";
import { createTester } from "synapse-module-bridge/testing";
import policy from "../../../examples/policies/invite-servers.js";

const room_id = "!r:example.org";
const own = "@a:example.org";
const config = { servers: ["Friends.example", "*.partner.example"] };

test.each([
  ["@b:example.org", true],
  ["@b:friends.example", true],
  ["@b:partner.example", true],
  ["@b:chat.partner.example", true],
  ["@b:sub.friends.example", false],
  ["@b:evilpartner.example", false],
  ["@b:friends.example:8448", false],
  ["@b:evil.example", false],
])("invites to and from %s pass: %s", async (other, pass) => {
  await using t = await createTester(policy, { config });
  const out = await t.ask("user_may_invite", { inviter: own, invitee: other, room_id });
  expect(out).toMatchObject(
    pass ? { outcome: "allowed" } : { outcome: "refused", error: { code: 403, errcode: "M_FORBIDDEN" } },
  );
  const into = await t.ask("user_may_invite", { inviter: other, invitee: own, room_id });
  expect(into).toMatchObject(pass ? { outcome: "allowed" } : { outcome: "refused", answer: "M_FORBIDDEN" });
});

test.each([
  ["outgoing", own, "@b:evil.example", true],
  ["outgoing", "@b:evil.example", own, false],
  ["incoming", own, "@b:evil.example", false],
  ["incoming", "@b:evil.example", own, true],
] as const)(
  "with direction %s, an invite by %s of %s is judged: %s",
  async (direction, inviter, invitee, judged) => {
    await using t = await createTester(policy, { config: { ...config, direction } });
    const result = await t.ask("user_may_invite", { inviter, invitee, room_id });
    expect(result).toMatchObject(judged ? { outcome: "refused" } : { asked: false, why: "match" });
  },
);

test.each([
  [{}, true],
  [{ third_party_invites: true }, false],
  [{ direction: "incoming" }, false],
] as const)("with %j, an invite by email is refused: %s", async (more, refused) => {
  await using t = await createTester(policy, { config: { ...config, ...more } });
  const params = { inviter: own, medium: "email", address: "b@evil.example", room_id } as const;
  const result = await t.ask("user_may_send_3pid_invite", params);
  expect(result).toMatchObject(refused ? { outcome: "refused" } : { asked: false, why: "match" });
});

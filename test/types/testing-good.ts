// What authors' tests may write against the kit: all of it compiles.
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
import { createTester, event } from "synapse-module-bridge/testing";

const policy = defineModule({
  configSchema: { type: "object", properties: { limit: { type: "integer" } } },
  callbacks: {
    user_may_invite: ({ invitee }) => (invitee.endsWith(":x.org") ? Codes.FORBIDDEN : NOT_SPAM),
    check_event_allowed: { match: { type: ["m.room.message"] }, handler: () => true },
    user_may_join_room: () => NOT_SPAM,
    auth_checkers: [{ login_type: "a", fields: ["b"], handler: () => null }],
  },
});

export async function uses(fromElsewhere: string, list: string[]): Promise<void> {
  await using t = await createTester(policy, {
    config: { limit: 1 },
    now: new Date(0),
    users: { "@a:example.org": { created: "2026-01-09", admin: false } },
    rooms: { "!r:example.org": { state: [event.create(), { type: "m.room.name", content: { name: "x" } }] } },
    api: {
      check_push_rule_actions: async () => {},
      http_client: { get_json: async ({ uri }) => ({ uri }) },
      worker_name: "w1",
    },
  });
  const invite = { inviter: fromElsewhere, invitee: "@b:x.org", room_id: "!r:example.org" };
  const { outcome } = await t.ask("user_may_invite", invite);
  const word: "allowed" | "refused" | "replaced" | "answered" | "done" | undefined = outcome;
  void word;
  await t.ask("user_may_invite", { inviter: `@${fromElsewhere}:x`, invitee: fromElsewhere, room_id: "!r:x" });
  await t.ask("user_may_join_room", { user: "@a:x", room: "!r:x" });
  await t.ask("check_event_allowed", { event: event.message("@a:x", { body: "x", list }) });
  await t.ask("check_event_allowed", {
    event: { type: "m.room.message", sender: "@a:x", content: { body: "x" } },
    room: { state: [event.topic("tea")] },
  });
  const login = await t.ask("auth_checkers", { username: "a", login_type: "a", login_dict: { b: "x" } });
  await login.followUp?.({ user_id: "@a:x" });
  const chain = await createTester(["a.ts", policy, { path: "b.ts", config: {} }]);
  await chain.ask("check_username_for_spam", { user_profile: "@a:x", requester_id: "@b:x" });
  await createTester({ module: policy }, { config: { limit: 2 } });
  await createTester({ default: policy }, { config: {} });
  await createTester({ callbacks: { user_may_invite: () => "NOT_SPAM" } }, { config: { any: 1 } });
  await createTester(policy as object, { config: { any: 1 } });
  await createTester("a.ts", { config: { any: 1 } });
  await createTester(["a.ts", policy], { config: { any: 1 } });
  const file = await createTester("a.ts");
  await file.ask("check_registration_for_spam", {});
}

// What authors' tests may not write against the kit: each line does not compile.
import { defineModule, NOT_SPAM } from "synapse-module-bridge";
import { createTester } from "synapse-module-bridge/testing";

const policy = defineModule({
  callbacks: { user_may_invite: () => NOT_SPAM, user_may_join_room: () => NOT_SPAM },
});
const limited = defineModule({
  configSchema: {
    type: "object",
    properties: {
      limit: { type: "integer" },
      lists: { type: "array", items: { type: "object", properties: { room: { type: "string" } } } },
    },
    required: ["limit"],
    additionalProperties: false,
  },
});
const invite = { inviter: "@a:x", invitee: "@b:x", room_id: "!r:x" } as const;

export async function misuses(): Promise<void> {
  const t = await createTester(policy);
  // @ts-expect-error the module does not declare this callback
  await t.ask("check_event_for_spam", { event: { type: "a" } });
  // @ts-expect-error a room id where a user id belongs
  await t.ask("user_may_invite", { ...invite, inviter: "!r:x" });
  // @ts-expect-error a template of another kind
  await t.ask("user_may_invite", { ...invite, room_id: `@${invite.inviter}` as const });
  // @ts-expect-error a parameter is missing
  await t.ask("user_may_invite", { inviter: "@a:x", invitee: "@b:x" });
  // @ts-expect-error a misspelt parameter that may be left out
  await t.ask("user_may_join_room", { user: "@a:x", room: "!r:x", is_invted: true });
  // @ts-expect-error no such option
  await createTester(policy, { clock: 7 });
  // @ts-expect-error no such method of the api
  await createTester(policy, { api: { get_userinfo: async () => null } });
  // @ts-expect-error an answer of another type
  await createTester(policy, { api: { is_user_admin: async () => "yes" } });
  // @ts-expect-error a misspelt key of the config
  await createTester(limited, { config: { limits: 1 } });
  // @ts-expect-error a misspelt key within the config
  await createTester({ module: limited }, { config: { lists: [{ rooms: "!r:x" }] } });
  // @ts-expect-error a value of another type
  await createTester({ default: limited }, { config: { limit: "1" } });
  // @ts-expect-error a config of a module that takes none
  await createTester(policy, { config: { limit: 1 } });
  // @ts-expect-error no such grant
  await createTester(policy, { grants: ["send_mal"] });
}

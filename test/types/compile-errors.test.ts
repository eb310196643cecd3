// biome-ignore-all lint/suspicious/noTemplateCurlyInString: tsc writes template types like this
// What an author reads when a module is wrong: tsc must name the thing that is wrong, and say what was wanted.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "@jest/globals";
import { typeCheck } from "../support/type-check.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCHEMA = `configSchema: {
  type: "object",
  properties: { allowed_domains: { type: "array", items: { type: "string" } } },
  additionalProperties: false,
}`;

const cases: [title: string, literal: string, ...errors: string[]][] = [
  ["a good module", "{ callbacks: { user_may_invite: () => NOT_SPAM } }"],
  [
    "a misspelt callback",
    "{ callbacks: { user_may_invit: () => NOT_SPAM } }",
    "'user_may_invit' does not exist in type 'Callbacks<NoConfig, undefined, undefined> & Inferred<{}>'. Did you mean to write 'user_may_invite'?",
  ],
  [
    "a misspelt key of an entry",
    "{ callbacks: { on_new_event: { room_stat: [], handler() {} } } }",
    `'room_stat' does not exist in type 'Handler<"on_new_event", NoConfig, undefined, undefined> | StateEntry<"on_new_event", NoConfig, undefined, undefined>'`,
  ],
  [
    "a misspelt path in match",
    "{ callbacks: { on_new_event: { match: { not: { sendr: ['@bot:*'] } }, handler() {} } } }",
    "'sendr' does not exist in type",
    "Did you mean to write 'sender'?",
  ],
  [
    "a boolean where Synapse wants a code",
    "{ callbacks: { user_may_invite: () => true } }",
    "Type 'boolean' is not assignable to type 'Promise<SpamVerdict> | SpamVerdict'",
  ],
  [
    "a bare string where Synapse wants a code",
    `{ callbacks: { user_may_invite: async () => "M_FORBIDDEN" } }`,
    "Type 'string' is not assignable to type 'SpamVerdict'",
  ],
  [
    "no answer",
    "{ callbacks: { check_event_allowed: () => undefined } }",
    "Type 'undefined' is not assignable to type 'Promise<EventAllowedVerdict> | EventAllowedVerdict'",
  ],
  [
    "a config key that does not exist",
    `{ ${SCHEMA}, callbacks: { on_new_event: (_, { config }) => void config.allowed_domain } }`,
    "Property 'allowed_domain' does not exist on type '{ allowed_domains?: string[]",
    "Did you mean 'allowed_domains'?",
  ],
  [
    "a config key in a module that takes no config",
    "{ callbacks: { on_new_event: (_, { config }) => void config.allowed_domains } }",
    "Property 'allowed_domains' does not exist on type 'NoConfig'",
  ],
  [
    "a data key that does not exist",
    "{ setup: async () => ({ invites: 1 }), callbacks: { on_new_event: (_, { data }) => void data.invite } }",
    "Property 'invite' does not exist on type '{ invites: number; }'. Did you mean 'invites'?",
  ],
  [
    "data that is used above the setup that makes it",
    "{ callbacks: { on_new_event: (_, { data }) => void data.invites }, setup: async ({ log }) => ({ invites: log }) }",
    "'data' is possibly 'undefined'",
  ],
  [
    "an await forgotten",
    `{ callbacks: { on_new_event(_, { api }) { if (api.is_user_admin({ user_id: "@a:b" })) return; } } }`,
    "This condition will always return true since this 'Promise<boolean>' is always defined",
  ],
  [
    "a write without its grant",
    `{ grants: ["store"], callbacks: { async on_new_event(_, { api }) { await api.delete_room({ room_id: "!a:b" }); } } }`,
    `Type 'AddToGrants<"delete_room">' has no call signatures`,
  ],
  [
    "a write of a group without its grant",
    `{ grants: ["send_mail"], callbacks: { async on_new_event(_, { api }) { await api.store.set({ key: "a", value: 1 }); } } }`,
    `Type 'AddToGrants<"store">' has no call signatures`,
  ],
  [
    "a misspelt field of an event",
    "{ callbacks: { on_new_event: ({ event }, { log }) => log.info(event.sendr) } }",
    "Property 'sendr' does not exist on type 'Event'. Did you mean 'sender'?",
  ],
  [
    "a misspelt field of a createRoom request",
    `{ callbacks: { on_create_room({ request_content }) { request_content.visiblity = "private"; } } }`,
    "Property 'visiblity' does not exist on type 'CreateRoomBody<MutableJsonValue>'. Did you mean 'visibility'?",
  ],
  [
    "a membership that there is not",
    `{ setup: ({ api }) => api.update_room_membership({ sender: "@a:b", target: "@a:b", room_id: "!a:b", new_membership: "joined" }) }`,
    `Type '"joined"' is not assignable to type 'Membership'`,
  ],
  [
    "a room id as a user id",
    "{ callbacks: { user_may_publish_room: async ({ room_id }, { api }) => (await api.is_user_admin({ user_id: room_id })) ? NOT_SPAM : Codes.FORBIDDEN } }",
    "Type '`!${string}`' is not assignable to type '`@${string}:${string}`'",
  ],
  [
    "a text as a room id",
    `{ setup: ({ api }) => api.delete_room({ room_id: "lobby" }) }`,
    "Type '\"lobby\"' is not assignable to type '`!${string}`'",
  ],
  [
    "a format that nobody checks",
    `{ configSchema: { type: "object", properties: { at: { type: "string", format: "nonsense" } } } }`,
    `Type '"nonsense"' is not assignable to type 'Format`,
  ],
  [
    "a config key that the schema does not declare",
    `{ configSchema: { type: "object", properties: { limit: { type: "integer" } } }, setup: ({ config }) => config.limits }`,
    "Property 'limits' does not exist on type '{ limit?: number",
    "Did you mean 'limit'?",
  ],
  [
    "a Promise in a replacement",
    `{ callbacks: { check_event_allowed: ({ state_events }) => ({ content: { name: state_events.get("m.room.name", "") } }) } }`,
    "is not assignable to type 'NotJson<Promise<Event | undefined>>'",
  ],
  [
    "a Date in a web answer",
    `{ web_resources: { "/_synapse/client/x": () => ({ at: new Date() }) } }`,
    "NotJson<Date>",
  ],
  [
    "a Map in the store",
    `{ setup: ({ api }) => api.store.set({ key: "a", value: { seen: new Map() } }) }`,
    "Type 'Map<any, any>' is not assignable to type 'JsonInput",
  ],
  [
    "a list of an event that is changed",
    "{ callbacks: { on_new_event({ event }) { const { via } = event.content; if (Array.isArray(via)) via.pop(); } } }",
    "The 'this' context of type 'JsonArray' is not assignable to method's 'this' of type 'never'",
  ],
  ["a misspelt grant", `{ grants: ["send_mal"] }`, `'"send_mal"' is not assignable to type`, `'"send_mail"'`],
];

let output = "";

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "compile-errors-"));
  try {
    for (const [i, [, literal]] of cases.entries()) {
      const source = `import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";\nvoid [Codes, NOT_SPAM];\nexport default defineModule(${literal});\n`;
      await writeFile(join(folder, `case-${i}.ts`), source);
    }
    const compilerOptions = { rootDir: "/", typeRoots: [join(ROOT, "node_modules/@types")] };
    await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
    );
    output = await typeCheck(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

test.each(cases.map(([title, , ...errors], i) => ({ title, errors, i })))("$title", ({ errors, i }) => {
  const blocks = output.split(/^(?=\S)/m).filter((block) => block.startsWith(`case-${i}.ts`));
  if (errors.length === 0) expect(blocks).toEqual([]);
  for (const error of errors) expect(blocks.join("")).toContain(error);
});

test("tsc finds nothing else", () => {
  const elsewhere = output.split("\n").filter((line) => /^\S/.test(line) && !/^case-\d+\.ts/.test(line));
  expect(elsewhere).toEqual([]);
});

// Modules that must not compile: tsc fails here if it no longer finds one of the expected errors.
// biome-ignore-all format: the expected error must be on the line below its comment
import { Codes, type ContextOf, contentOf, defineHead, defineModule, NOT_SPAM, RateLimiter, RegistrationBehaviour } from "synapse-module-bridge";

const configSchema = {
  type: "object",
  properties: { allowed_domains: { type: "array", items: { type: "string" } } },
  required: ["allowed_domains"],
  additionalProperties: false,
} as const;

const head = defineHead({ configSchema, setup: () => ({ asked: 0 }) });

// Names

// @ts-expect-error a misspelt callback
defineModule({ callbacks: { user_may_invit: () => NOT_SPAM } });
// @ts-expect-error a misspelt part of the module
defineModule({ callback: {} });
// @ts-expect-error a misspelt key of an entry
defineModule({ callbacks: { user_may_invite: { mach: { inviter: ["@a:b"] }, handler: () => NOT_SPAM } } });
// @ts-expect-error an entry without a handler
defineModule({ callbacks: { user_may_invite: { match: { inviter: ["@a:b"] } } } });
// @ts-expect-error room_state for a callback that gets no state
defineModule({ callbacks: { user_may_invite: { room_state: [], handler: () => NOT_SPAM } } });
// @ts-expect-error a parameter that the callback does not have
defineModule({ callbacks: { user_may_invite: ({ room }) => (room ? NOT_SPAM : Codes.FORBIDDEN) } });

// @ts-expect-error a match on a number, which no glob fits
defineModule({ callbacks: { is_user_allowed_to_upload_media_of_size: { match: { size: ["1*"] }, handler: () => true } } });
// @ts-expect-error a match on the events of a delivery, of which only the ids travel
defineModule({ callbacks: { on_event_delivered_over_federation: { match: { sender: ["*"] }, handler() {} } } });

// Answers

// @ts-expect-error a set where the answer travels as a list
defineModule({ callbacks: { get_interested_users: () => new Set(["@a:b"]) } });
// @ts-expect-error a rate limit by half
defineModule({ callbacks: { get_ratelimit_override_for_user: () => ({ per_second: 1 }) } });
// @ts-expect-error a truth that Python would take for one
defineModule({ callbacks: { is_user_expired: () => 1 } });
// @ts-expect-error a boolean where Synapse wants a code
defineModule({ callbacks: { user_may_invite: () => true } });
// @ts-expect-error a bare string where Synapse wants a code
defineModule({ callbacks: { user_may_invite: () => "M_FORBIDDEN" } });
// @ts-expect-error the text of NOT_SPAM
defineModule({ callbacks: { user_may_invite: () => "NOT_SPAM" } });
// @ts-expect-error no answer
defineModule({ callbacks: { user_may_invite: () => undefined } });
// @ts-expect-error no answer on one of two paths
defineModule({ callbacks: { user_may_invite({ room_id }) { if (room_id) return NOT_SPAM; } } });
// @ts-expect-error no answer, later
defineModule({ callbacks: { user_may_invite: async () => {} } });
// @ts-expect-error a boolean, later, in an entry
defineModule({ callbacks: { user_may_invite: { handler: async () => false } } });
// @ts-expect-error fields where Synapse takes only a code
defineModule({ callbacks: { user_may_send_state_event: () => [Codes.FORBIDDEN, {}] } });
// @ts-expect-error fields that are no object
defineModule({ callbacks: { user_may_invite: () => [Codes.FORBIDDEN, "no"] } });
// @ts-expect-error a code where Synapse wants a boolean
defineModule({ callbacks: { check_event_allowed: () => Codes.FORBIDDEN } });
// @ts-expect-error a replacement without any honoured field
defineModule({ callbacks: { check_event_allowed: () => ({}) } });
// @ts-expect-error a misspelt field of a replacement
defineModule({ callbacks: { check_event_allowed: () => ({ contents: {} }) } });
// @ts-expect-error NOT_SPAM where Synapse wants a boolean
defineModule({ callbacks: { should_drop_federated_event: () => NOT_SPAM } });
// @ts-expect-error the text of a behaviour
defineModule({ callbacks: { check_registration_for_spam: () => "allow" } });
// @ts-expect-error a behaviour that there is not
defineModule({ callbacks: { check_registration_for_spam: () => RegistrationBehaviour.BLOCK } });
// @ts-expect-error an answer where request_content is to be edited
defineModule({ callbacks: { on_create_room: ({ request_content }) => ({ ...request_content }) } });

// Parameters, config, data

// @ts-expect-error parameters are frozen
defineModule({ callbacks: { on_new_event: ({ event }) => { event.content.body = "x"; } } });
// @ts-expect-error a config key that does not exist
defineModule({ configSchema, callbacks: { on_new_event: (_, { config, log }) => log.info(config.allowed) } });
// @ts-expect-error a config key in setup that does not exist
defineModule({ configSchema, setup: ({ config }) => config.allowed });
// @ts-expect-error a config key in match that does not exist
defineModule({ configSchema, callbacks: { user_may_invite: { match: (config) => ({ room_id: config.rooms }), handler: () => NOT_SPAM } } });
// @ts-expect-error a config key in a module without a schema
defineModule({ callbacks: { on_new_event: (_, { config, log }) => log.info(config.allowed_domains) } });
// @ts-expect-error a data key that does not exist
defineModule({ setup: () => ({ seen: 1 }), callbacks: { on_new_event: (_, { data, log }) => log.info(data.saw) } });
// @ts-expect-error a data key of an async setup that does not exist
defineModule({ setup: async ({ api }) => ({ at: api.server_name }), callbacks: { on_new_event: (_, { data, log }) => log.info(data.it) } });
// @ts-expect-error data in a module without setup
defineModule({ callbacks: { on_new_event: (_, { data, log }) => log.info(data.seen) } });
// @ts-expect-error a key of the context that does not exist
defineModule({ callbacks: { on_new_event: (_, { logger }) => logger } });
// @ts-expect-error a schema that is none
defineModule({ configSchema: { type: "objekt" } });

// A parameter that older Synapses do not give
// @ts-expect-error room_config may be undefined
defineModule({ callbacks: { user_may_create_room: ({ room_config }) => (room_config.name ? NOT_SPAM : Codes.BAD_JSON) } });

// match and room_state

// @ts-expect-error a parameter that the callback does not have
defineModule({ callbacks: { user_may_invite: { match: { invitor: ["@a:b"] }, handler: () => NOT_SPAM } } });
// @ts-expect-error a misspelt field of an event
defineModule({ callbacks: { on_new_event: { match: { sendr: ["@a:b"] }, handler() {} } } });
// @ts-expect-error a misspelt field under not
defineModule({ callbacks: { on_new_event: { match: { not: { sendr: ["@a:b"] } }, handler() {} } } });
// @ts-expect-error one glob that is not in a list
defineModule({ callbacks: { user_may_invite: { match: { inviter: "@a:b" }, handler: () => NOT_SPAM } } });
// @ts-expect-error a room state key without its state_key
defineModule({ callbacks: { on_new_event: { room_state: [["m.room.create"]], handler() {} } } });

// Callbacks of another shape

// @ts-expect-error a ttl that is no duration
defineModule({ callbacks: { user_may_invite: { ttl: "10 minutes", handler: () => NOT_SPAM } } });
// @ts-expect-error a ttl of a callback that has no answer
defineModule({ callbacks: { on_new_event: { ttl: "10m", handler() {} } } });
// @ts-expect-error a ttl of what is asked with a password
defineModule({ callbacks: { check_3pid_auth: { ttl: "10m", handler: () => null } } });
// @ts-expect-error a ttl of an iteration
defineModule({ callbacks: { on_update: { ttl: "10m", handler: () => null } } });
// @ts-expect-error auth checkers that are no list
defineModule({ callbacks: { auth_checkers: () => null } });
// @ts-expect-error an auth checker without its fields
defineModule({ callbacks: { auth_checkers: [{ login_type: "m.login.password", handler: () => null }] } });
// @ts-expect-error a ttl of an auth checker
defineModule({ callbacks: { auth_checkers: [{ login_type: "a", fields: [], ttl: "1m", handler: () => null }] } });
// @ts-expect-error a boolean where Synapse wants a user id
defineModule({ callbacks: { auth_checkers: [{ login_type: "a", fields: [], handler: () => true }] } });
// @ts-expect-error what is done after a login answers nothing
defineModule({ callbacks: { check_3pid_auth: () => ["@a:b", (response) => ({ ...response, a: 1 })] } });
// @ts-expect-error a duration with its unit
defineModule({ callbacks: { on_update: () => "100ms" } });
// @ts-expect-error a template beside a handler
defineModule({ callbacks: { add_field_to_unsigned_callback: { fields: {}, handler: () => ({}) } } });
// @ts-expect-error a template of one reference
defineModule({ callbacks: { add_field_to_unsigned_callback: { fields: { $event: "content" } } } });
// @ts-expect-error a reference that is no path
defineModule({ callbacks: { add_field_to_unsigned_callback: { fields: { a: { $event: 1 } } } } });
// @ts-expect-error a template for another callback
defineModule({ callbacks: { user_may_invite: { fields: {} } } });
// @ts-expect-error no fields
defineModule({ callbacks: { add_field_to_unsigned_callback: () => null } });

// api and web resources

// @ts-expect-error a promise is not a yes
defineModule({ setup: async ({ api }) => { if (api.is_user_admin({ user_id: "@a:b" })) return 1; return 2; } });
// @ts-expect-error parameters travel by name
defineModule({ setup: ({ api }) => api.is_mine("@a:b") });
// @ts-expect-error a method that there is not
defineModule({ setup: ({ api }) => api.is_main({ id: "@a:b" }) });
// @ts-expect-error a misspelt parameter
defineModule({ setup: ({ api }) => api.get_room_state({ room_id: "!a:b", filter: [] }) });
// @ts-expect-error properties cannot be set
defineModule({ setup: ({ api }) => { api.server_name = "x"; } });
// @ts-expect-error a web handler that answers nothing
defineModule({ web_resources: { "/_synapse/client/x": () => undefined } });

// Storage

// @ts-expect-error a value that is no JSON
defineModule({ setup: ({ api }) => api.store.set({ key: "k", value: new Map() }) });
// @ts-expect-error an update that is async
defineModule({ setup: ({ api }) => api.store.update({ key: "k", update: async (n?: number) => n }) });
// @ts-expect-error a comparison with nothing said
defineModule({ setup: ({ api }) => api.store.compare_and_set({ key: "k", value: 1 }) });
// @ts-expect-error a limit without its time
defineModule({ grants: ["store"], setup: ({ api }) => new RateLimiter(api, { name: "n", limit: 1 }) });
// @ts-expect-error a limiter without the grant
defineModule({ grants: ["broadcast"], setup: ({ api }) => new RateLimiter(api, { name: "n", limit: 1, per: "1h" }) });
// @ts-expect-error a parameter that no database takes
defineModule({ setup: ({ api }) => api.run_db_interaction({ desc: "d", statements: [{ sql: "?", params: [new Date()] }] }) });
// @ts-expect-error neither statements nor a function
defineModule({ setup: ({ api }) => api.run_db_interaction({ desc: "d" }) });

// Grants

// @ts-expect-error a grant that there is not
defineModule({ grants: ["send_mal"] });
// @ts-expect-error a read needs none
defineModule({ grants: ["get_room_state"] });
// @ts-expect-error all is the admin's word
defineModule({ grants: "all" });
// @ts-expect-error a write that is not declared, in setup
defineModule({ grants: ["store"], setup: ({ api }) => api.create_login_token({ user_id: "@a:b" }) });
// @ts-expect-error a write that is not declared, in a callback
defineModule({ grants: ["store"], callbacks: { on_new_event: async (_, { api }) => { await api.delete_room({ room_id: "!a:b" }); } } });
// @ts-expect-error a write that is not declared, in an entry
defineModule({ grants: [], callbacks: { user_may_invite: { handler: async (_, { api }) => { await api.store.delete({ key: "a" }); return NOT_SPAM; } } } });
// @ts-expect-error a method beside the one of its group that is declared
defineModule({ grants: ["http_client.get_json"], setup: ({ api }) => api.http_client.put_json({ uri: "x", json_body: 1 }) });
// @ts-expect-error a write that is not declared, in a web handler
defineModule({ grants: ["store"], web_resources: { "/_synapse/client/x": async (_, { api }) => api.http_client.get_json({ uri: "x" }) } });

// Ids, and what a misspelt name was

// @ts-expect-error a misspelt field of an event
defineModule({ callbacks: { on_new_event: ({ event }, { log }) => log.info(event.sendr) } });
// @ts-expect-error a misspelt attribute of an event's metadata
defineModule({ callbacks: { on_new_event: ({ event }, { log }) => log.info(event.internal_metadata.outlir) } });
// @ts-expect-error a misspelt field of a createRoom request
defineModule({ callbacks: { on_create_room({ request_content }) { request_content.visiblity = "private"; } } });
// @ts-expect-error a misspelt field of a createRoom request of the module itself
defineModule({ setup: ({ api }) => api.create_room({ user_id: "@a:b", config: { visiblity: "private" } }) });
// @ts-expect-error a membership that there is not
defineModule({ setup: ({ api }) => api.update_room_membership({ sender: "@a:b", target: "@a:b", room_id: "!a:b", new_membership: "joined" }) });
// @ts-expect-error a room id as a user id
defineModule({ callbacks: { user_may_publish_room: async ({ room_id }, { api }) => ((await api.is_user_admin({ user_id: room_id })) ? NOT_SPAM : Codes.FORBIDDEN) } });
// @ts-expect-error a literal of another kind
defineModule({ setup: ({ api }) => api.is_user_admin({ user_id: "alice" }) });
// @ts-expect-error a template of another kind
defineModule({ setup: ({ api }) => api.get_room_state({ room_id: `#lobby:${api.server_name}` }) });
// @ts-expect-error one of several that is of another kind
defineModule({ grants: ["send_local_online_presence_to"], setup: ({ api }) => api.send_local_online_presence_to({ users: ["@a:b", "!c:d"] }) });
// @ts-expect-error an event is never sent by a room
defineModule({ callbacks: { on_new_event: ({ event }, { log }) => log.info(event.sender === "!a:b") } });

// JSON that is none

// @ts-expect-error a list of an event cannot be changed
defineModule({ callbacks: { on_new_event({ event }) { const { via } = event.content; if (Array.isArray(via)) via.push("a"); } } });
// @ts-expect-error a Promise in a replacement
defineModule({ callbacks: { check_event_allowed: ({ state_events }) => ({ content: { name: state_events.get("m.room.name", "") } }) } });
// @ts-expect-error a Date in a web answer
defineModule({ web_resources: { "/_synapse/client/x": () => ({ at: new Date() }) } });
// @ts-expect-error a Map as content
defineModule({ setup: ({ api }) => api.account_data_manager.put_global({ user_id: "@a:b", data_type: "x", new_data: new Map() }) });
// @ts-expect-error a Set within a value
defineModule({ setup: ({ api }) => api.store.set({ key: "k", value: { seen: new Set() } }) });
// @ts-expect-error a value that may be anything
defineModule({ callbacks: { on_new_event: ({ event }) => event.content.body.toLowerCase() } });

// configSchema, close, defineHead

// @ts-expect-error a format that nobody checks
defineModule({ configSchema: { type: "object", properties: { a: { type: "string", format: "nonsense" } } } });
// @ts-expect-error a config key that does not exist, though others may be given
defineModule({ configSchema: { type: "object", properties: { a: { type: "string" } } }, setup: ({ config }) => config.b });
// @ts-expect-error a ttl of the config that is no duration
defineModule({ configSchema, callbacks: { user_may_invite: { ttl: (config) => config.allowed_domains, handler: () => NOT_SPAM } } });
// @ts-expect-error close gets no api
defineModule({ close: ({ api }) => api });
// @ts-expect-error close gets what setup returned
defineModule({ setup: () => ({ a: 1 }), close: ({ data }) => void data.b });
// @ts-expect-error a reason is a text
defineModule({ callbacks: { on_new_event: (_, { reason }) => reason({ why: 1 }) } });
// @ts-expect-error the head has the grants
defineModule({ ...defineHead({ grants: ["store"] }), callbacks: { on_new_event: async (_, { api }) => { await api.delete_room({ room_id: "!a:b" }); } } });
// @ts-expect-error a callback that the module does not implement
void defineModule({ callbacks: { user_may_invite: () => NOT_SPAM } }).callbacks.on_new_event;
// @ts-expect-error the data of the head
export const ofHead = (context: ContextOf<typeof head>): number => context.data.nothing;

// Contents

// @ts-expect-error a type that Matrix does not specify needs a schema
defineModule({ callbacks: { on_new_event: ({ event }) => contentOf(event, "org.example.poll") } });
// @ts-expect-error a field that a content does not have
defineModule({ callbacks: { on_new_event: ({ event }, { log }) => log.info(contentOf(event, "m.room.member")?.member) } });
// @ts-expect-error each field may be missing
defineModule({ callbacks: { on_new_event: ({ event }, { log }) => log.info(contentOf(event, "m.room.message")?.body.length) } });
// @ts-expect-error a pattern would not be checked
defineModule({ callbacks: { on_new_event: ({ event }) => contentOf(event, "a", { type: "string", pattern: "a" }) } });

// Broadcasts

// @ts-expect-error a value that is never JSON
defineModule({ broadcasts: { t(value: Date) { value.getTime(); } } });
// @ts-expect-error a broadcast that is no function
defineModule({ broadcasts: { t: 3 } });
// @ts-expect-error a broadcast that the grants lack
defineModule({ grants: ["store"], broadcasts: { t() {} }, callbacks: { user_may_create_room: async (_, { api }) => { await api.broadcast({ topic: "t", value: 1 }); return NOT_SPAM; } } });
// @ts-expect-error a value that is no JSON
defineModule({ broadcasts: { t() {} }, callbacks: { user_may_create_room: async (_, { api }) => { await api.broadcast({ topic: "t", value: new Map() }); return NOT_SPAM; } } });

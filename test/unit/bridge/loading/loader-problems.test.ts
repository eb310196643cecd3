// What each fault in a module is told as, with its place.
import { describe, expect, test } from "@jest/globals";
import { faultsOf, folder, load } from "../loading.js";
import { moduleOf } from "../rig.js";

let counter = 0;

test("a fault that quotes a large file is told at once, and cut", async () => {
  const [fault = ""] = await faultsOf(
    "quotes.ts",
    'throw new Error("x" + "/a".repeat(5_000_000)); export default {};',
  );
  expect(fault).toMatch(/^modules\.0\.path: quotes\.ts(?::1)?: threw when it was loaded: Error: x\/a\/a/);
  expect(fault.length).toBeLessThan(5_000);
});

test("a file of types alone is no module", async () => {
  expect(await faultsOf("types.d.ts", "export default {} as object;")).toEqual([
    "modules.0.path: types.d.ts has only types: name the file with the code",
  ]);
});

describe("a fault is told with its place", () => {
  const good = moduleOf("user_may_invite", "return NOT_SPAM;");
  test.each([
    [
      "a syntax error",
      "export default {\n  callbacks: {\n    check( { return 1 }\n  }\n}",
      "modules.0.path: bad.ts:3:21: syntax error: ':' expected",
    ],
    [
      "a throw at import",
      "\nconst x: any = undefined;\nexport default x.y;",
      "modules.0.path: bad.ts:3: threw when it was loaded: TypeError: Cannot read properties of undefined (reading 'y')",
    ],
    [
      "a throw of what throws when it is read",
      "throw new Proxy({}, { get() { throw new Error('read'); } });",
      "modules.0.path: bad.ts: threw when it was loaded, and what it threw cannot be read",
    ],
    [
      "a getter that throws",
      "export default { get callbacks() { throw new Error('got'); } };",
      "modules.0.path: bad.ts: its default export cannot be read: Error: got",
    ],
    [
      "a missing import",
      `import x from "./nowhere.js";\nexport default x;`,
      "modules.0.path: Cannot find module './nowhere.js' (imported by bad.ts)",
    ],
    [
      "no export",
      "const x = 1;",
      "modules.0.path: bad.ts: exports no module: write `export default defineModule({ ... })`",
    ],
    [
      "no default export",
      "export const callbacks = {};",
      "modules.0.path: bad.ts: exports no module: write `export default defineModule({ ... })`",
    ],
    [
      "another export",
      "export default 5;",
      "modules.0.path: bad.ts: exports no module: write `export default defineModule({ ... })`",
    ],
    [
      "an unknown key",
      "export default { calbacks: {} };",
      "modules.0.path: bad.ts: unknown key calbacks (did you mean callbacks?); a module has configSchema, grants, setup, callbacks, web_resources, broadcasts, close",
    ],
    [
      "an unknown callback",
      "export default { callbacks: { user_may_invte() {} } };",
      "modules.0.path: bad.ts: unknown callback user_may_invte (did you mean user_may_invite?)",
    ],
    [
      "a handler that is none",
      "export default { callbacks: { user_may_invite: 3 } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite must be a function, or an object with a handler",
    ],
    [
      "an entry without handler",
      "export default { callbacks: { user_may_invite: { } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite.handler must be a function",
    ],
    [
      "an unknown entry key",
      "export default { callbacks: { user_may_invite: { handlr: 1, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite has an unknown key handlr (did you mean handler?); it may have match, room_state, ttl, handler",
    ],
    [
      "a ttl that is no duration",
      "export default { callbacks: { user_may_invite: { ttl: '10 minutes', handler() {} } } };",
      'modules.0.path: bad.ts: callbacks.user_may_invite.ttl must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as "10m"',
    ],
    [
      "a ttl of nothing",
      "export default { callbacks: { user_may_invite: { ttl: 0, handler() {} } } };",
      'modules.0.path: bad.ts: callbacks.user_may_invite.ttl must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as "10m"',
    ],
    [
      "a ttl of news",
      "export default { callbacks: { on_new_event: { ttl: '1m', handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.on_new_event.ttl: on_new_event has no answer that could be kept",
    ],
    [
      "a ttl of edits",
      "export default { callbacks: { on_create_room: { ttl: '1m', handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.on_create_room.ttl: on_create_room has no answer that could be kept",
    ],
    [
      "a ttl of a login",
      "export default { callbacks: { check_3pid_auth: { ttl: '1m', handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.check_3pid_auth.ttl: check_3pid_auth is asked with passwords or tokens, and no answer about those is kept",
    ],
    [
      "a ttl of an auth checker",
      "export default { callbacks: { auth_checkers: [{ login_type: 'a', fields: [], ttl: '1m', handler() {} }] } };",
      "modules.0.path: bad.ts: callbacks.auth_checkers[0].ttl: auth_checkers is asked with passwords or tokens, and no answer about those is kept",
    ],
    [
      "a ttl of an iteration",
      "export default { callbacks: { on_update: { ttl: '1m', handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.on_update.ttl: on_update has an answer of its own for each question: none is kept",
    ],
    [
      "auth checkers that are no list",
      "export default { callbacks: { auth_checkers() {} } };",
      'modules.0.path: bad.ts: callbacks.auth_checkers must be a list of entries: [{ login_type: "m.login.password", fields: ["password"], handler }]',
    ],
    [
      "an auth checker without its fields",
      "export default { callbacks: { auth_checkers: [{ login_type: 'a', handler() {} }] } };",
      'modules.0.path: bad.ts: callbacks.auth_checkers[0].fields must be a list of names of the login\'s fields, such as ["password"]',
    ],
    [
      "an auth checker without its login type",
      "export default { callbacks: { auth_checkers: [{ fields: [], handler() {} }] } };",
      'modules.0.path: bad.ts: callbacks.auth_checkers[0].login_type must be a string, such as "m.login.password"',
    ],
    [
      "two auth checkers for the same",
      "export default { callbacks: { auth_checkers: [{ login_type: 'a', fields: ['b'], handler() {} }, { login_type: 'a', fields: ['b'], handler() {} }] } };",
      "modules.0.path: bad.ts: callbacks.auth_checkers[1]: another entry has the login_type a with the same fields already",
    ],
    [
      "a misspelt key of an auth checker",
      "export default { callbacks: { auth_checkers: [{ login_typ: 1, login_type: 'a', fields: [], handler() {} }] } };",
      "modules.0.path: bad.ts: callbacks.auth_checkers[0] has an unknown key login_typ (did you mean login_type?); it may have login_type, fields, match, ttl, handler",
    ],
    [
      "a template beside a handler",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: {}, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback has fields, which need no call: it may not have a handler beside them",
    ],
    [
      "a template of another callback",
      "export default { callbacks: { user_may_invite: { fields: {}, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite has an unknown key fields; it may have match, room_state, ttl, handler",
    ],
    [
      "a template that is no object",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: [] } } };",
      "modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback.fields must be an object of JSON: it is no object",
    ],
    [
      "a template with what is no JSON",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: { a: { b: new Date() } } } } };",
      "modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback.fields must be an object of JSON: a.b is a Date",
    ],
    [
      "a template of one reference",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: { $event: 'content' } } } };",
      "modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback.fields: $event stands for a value, and not for all fields: name the field",
    ],
    [
      "a reference with another key",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: { a: [{ $event: 'type', b: 1 }] } } } };",
      "modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback.fields.a[0] has other keys beside $event, which would be replaced with it",
    ],
    [
      "a reference that is no path",
      "export default { callbacks: { add_field_to_unsigned_callback: { fields: { a: { $event: 'content..x' } } } } };",
      'modules.0.path: bad.ts: callbacks.add_field_to_unsigned_callback.fields.a.$event must be a path into the event, such as "content.displayname"',
    ],
    [
      "room_state where there is none",
      "export default { callbacks: { user_may_invite: { room_state: [], handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite.room_state: Synapse gives this callback no room state",
    ],
    [
      "a room_state of another shape",
      "export default { callbacks: { check_event_allowed: { room_state: ['m.room.create'], handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.check_event_allowed.room_state must be a list of [type, state_key], with null for all state keys",
    ],
    [
      "a match of a string",
      "export default { callbacks: { check_event_allowed: { match: { type: 'm.*' }, handler() {} } } };",
      `modules.0.path: bad.ts: callbacks.check_event_allowed.match["type"] must be a boolean or a list of globs: write ["m.*"]`,
    ],
    [
      "a match of what the callback lacks",
      "export default { callbacks: { user_may_invite: { match: { not: { sender: ['a'] } }, handler() {} } } };",
      `modules.0.path: bad.ts: callbacks.user_may_invite.match.not["sender"]: user_may_invite has no parameter sender; it has inviter, invitee, room_id`,
    ],
    [
      "a match of one entry of a list",
      "export default { callbacks: { auth_checkers: [{ login_type: 'a', fields: [], match: { user: ['a'] }, handler() {} }] } };",
      `modules.0.path: bad.ts: callbacks.auth_checkers[0].match["user"]: auth_checkers has no parameter user; it has username, login_type, login_dict`,
    ],
    [
      "a local that is none",
      "export default { callbacks: { user_may_invite: { match: { local: 1 }, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite.match.local must be true or false",
    ],
    [
      "local without a subject",
      "export default { callbacks: { check_registration_for_spam: { match: { local: true }, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.check_registration_for_spam.match.local: check_registration_for_spam has no subject that could be local",
    ],
    [
      "an async match",
      "export default { callbacks: { user_may_invite: { match: async () => ({}), handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite.match must be a JSON object, or a function of config that returns one at once",
    ],
    [
      "a match that throws",
      "export default { callbacks: { user_may_invite: { match: (c) => c.x.y, handler() {} } } };",
      "modules.0.path: bad.ts: callbacks.user_may_invite.match threw: TypeError: Cannot read properties of undefined (reading 'y')",
    ],
    [
      "a setup that is none",
      "export default { setup: 1 };",
      "modules.0.path: bad.ts: setup must be a function",
    ],
    [
      "a resource without a slash",
      "export default { web_resources: { x() {} } };",
      `modules.0.path: bad.ts: web_resources["x"] must begin with /`,
    ],
    [
      "a resource below Synapse's own",
      "export default { web_resources: { '/_matrix/client/x': () => 1 } };",
      `modules.0.path: bad.ts: web_resources["/_matrix/client/x"] is never reached: Synapse serves all of /_matrix/client itself. Use /_synapse/client/<your name>/...`,
    ],
    [
      "a resource that is no function",
      "export default { web_resources: { '/x': 1 } };",
      `modules.0.path: bad.ts: web_resources["/x"] must be a function`,
    ],
    [
      "a configSchema that is none",
      "export default { configSchema: 1 };",
      "modules.0.path: bad.ts: configSchema must be a JSON Schema (an object)",
    ],
    [
      "a misspelt schema keyword",
      "export default { configSchema: { type: 'object', propertis: {} } };",
      `modules.0.path: bad.ts: configSchema is not a JSON Schema of draft-07: strict mode: unknown keyword: "propertis"`,
    ],
    [
      "a default that does not fit",
      "export default { configSchema: { type: 'object', properties: { a: { type: 'integer', default: 'five' } } } };",
      'modules.0.path: bad.ts: configSchema.properties.a: its default "five" does not fit: it must be integer',
    ],
    [
      "a default that does not fit, within a list and by reference",
      "export default { configSchema: { type: 'object', definitions: { 'm/n': { minLength: 9, type: 'string' } }, properties: { l: { type: 'array', items: { type: 'object', properties: { b: { $ref: '#/definitions/m~1n', default: 'short' } } } } } } };",
      'modules.0.path: bad.ts: configSchema.properties.l.items.properties.b: its default "short" does not fit: it must NOT have fewer than 9 characters',
    ],
    [
      "a default that does not fit where the schema has an id",
      "export default { configSchema: { $id: 'https://example.org/x', type: 'object', properties: { a: { type: 'object', default: {}, properties: { b: { type: 'string', default: 5 } } } } } };",
      "modules.0.path: bad.ts: configSchema.properties.a: its default {} does not fit: it/b must be string; modules.0.path: bad.ts: configSchema.properties.a.properties.b: its default 5 does not fit: it must be string",
    ],
    [
      "a format that there is not",
      "export default { configSchema: { type: 'object', properties: { a: { type: 'string', format: 'data-time' } } } };",
      "modules.0.path: bad.ts: configSchema.properties.a: there is no format data-time (did you mean date-time?)",
    ],
    [
      "a required property that there is not",
      "export default { configSchema: { type: 'object', properties: { limit: {}, l: { items: { type: 'object', required: ['b'] } } }, required: ['limits'] } };",
      "modules.0.path: bad.ts: configSchema: requires limits, which is not among its properties (did you mean limit?); modules.0.path: bad.ts: configSchema.properties.l.items: requires b, which is not among its properties",
    ],
    [
      "a required property that there is not, where others that there are must not be, or need others",
      "export default { configSchema: { type: 'object', properties: { limit: {}, all: {} }, not: { required: ['limit', 'all'] }, dependencies: { limit: { required: ['al'] } } } };",
      "modules.0.path: bad.ts: configSchema.dependencies.limit: requires al, which is not among its properties",
    ],
    [
      "a misspelt field of an event in a match that is a function",
      "export default { callbacks: { on_new_event: { match: () => ({ typ: ['x'] }), handler() {} } } };",
      'modules.0.path: bad.ts: callbacks.on_new_event.match["typ"]: an event has no field typ (did you mean type?); for another one write event.typ',
    ],
    [
      "a close that is no function",
      "export default { close: 1, callbacks: {} };",
      "modules.0.path: bad.ts: close must be a function",
    ],
  ])("%s", async (_, text, message) => {
    // A file of its own for each: what was loaded once is not read again.
    const name = `bad-${counter++}.ts`;
    expect((await faultsOf(name, text)).join("; ").replaceAll(name, "bad.ts")).toBe(message);
  });

  test("all that is wrong with one file at once", async () => {
    const text = "export default { setup: 1, callbacks: { nonsense() {}, user_may_invite: 1 } };";
    expect(await faultsOf("many.ts", text)).toHaveLength(3);
  });

  test("a missing file, a folder that is no package, an import of another module that fails", async () => {
    folder.write("bare/x.ts", "");
    folder.write("hollow/package.json", `{ "main": "gone.ts" }`);
    const { faults } = await load(
      { path: `${folder.root}/gone.ts` },
      { path: `${folder.root}/bare` },
      { path: `${folder.root}/hollow` },
    );
    expect(faults.map(({ path, message }) => [path, message.replaceAll(folder.root, "")])).toEqual([
      [["modules", 0, "path"], "there is no file or folder /gone.ts"],
      [["modules", 1, "path"], "the folder /bare has no package.json"],
      [["modules", 2, "path"], "/hollow/package.json names gone.ts, which does not exist"],
    ]);
  });

  test("two modules of one name, and two with one web resource", async () => {
    const web = `export default { web_resources: { "/_synapse/client/x": () => 1 } };`;
    const { faults } = await load(
      { path: folder.write("one/same.ts", good) },
      { path: folder.write("two/same.ts", good) },
      { path: folder.write("web-a.ts", web) },
      { path: folder.write("web-b.ts", web) },
    );
    expect(faults).toEqual([
      {
        path: ["modules", 1, "path"],
        message: "another module is called same already: give each a `name` of its own",
      },
      {
        path: ["modules", 3, "path"],
        message: "web-b and web-a both have the web resource /_synapse/client/x: Synapse would serve one",
      },
    ]);
  });

  test("what Synapse takes from one module", async () => {
    const controller = "export default { callbacks: { on_update: () => null } };";
    const checker = (fields: string) =>
      `export default { callbacks: { auth_checkers: [{ login_type: "a", fields: ${fields}, handler() {} }] } };`;
    const { faults } = await load(
      { path: folder.write("size.ts", "export default { callbacks: { min_batch_size: () => 1 } };") },
      { path: folder.write("control.ts", controller) },
      { path: folder.write("shadow.ts", controller), mode: "shadow" },
      { path: folder.write("check.ts", checker('["b", "c"]')) },
      { path: folder.write("same.ts", checker('["b", "c"]')) },
      { path: folder.write("other.ts", checker('["b"]')) },
    );
    expect(faults.map(({ path, message }) => [path[1], message])).toEqual([
      [0, "size has min_batch_size without on_update, which Synapse needs beside it"],
      [1, "control has on_update, but size controls background updates: Synapse takes one controller"],
      [5, "other checks a by [b], but check by [b, c]: Synapse asks for one set of fields"],
    ]);
  });

  const needs = (grants: string) => `export default { grants: ${grants}, callbacks: {} };`;
  const lacks = (line: string) =>
    `modules.0.grants: needs.ts: needs \`grants: [${line}]\` beside its \`path\``;
  test.each<[needs: string, has: string[] | "all" | undefined, ...faults: string[]]>([
    ['["store"]', undefined, lacks("store")],
    ['["store", "send_mail"]', ["send_mail", "delete_room"], lacks("send_mail, delete_room, store")],
    ['["http_client"]', ["http_client.get_json"], lacks("http_client.get_json, http_client")],
    ['["store"]', ["store"]],
    ['["store"]', "all"],
    ['["http_client.get_json"]', ["http_client"]],
    ["[]", undefined],
    [
      '["send_mal", "is_mine"]',
      "all",
      "modules.0.path: needs.ts: grants: send_mal is not a ModuleApi method (did you mean send_mail?)",
      "modules.0.path: needs.ts: grants: is_mine needs no grant",
    ],
    [
      '"all"',
      "all",
      'modules.0.path: needs.ts: grants must be a list of ModuleApi methods, such as ["send_mail"]',
    ],
  ])("grants %s of a module that has %j", async (declared, grants, ...faults) => {
    const name = `${counter++}-needs.ts`;
    const found = await faultsOf(name, needs(declared), grants === undefined ? {} : { grants });
    expect(found.map((fault) => fault.replaceAll(name, "needs.ts"))).toEqual(faults);
  });

  test("grants that are none", async () => {
    expect(await faultsOf("grants.ts", good, { grants: ["send_mail", "send_mal", "is_mine"] })).toEqual([
      expect.stringContaining(
        "modules.0.grants.1: send_mal is not a ModuleApi method (did you mean send_mail?)",
      ),
      expect.stringContaining("modules.0.grants.2: is_mine needs no grant"),
    ]);
    expect(await faultsOf("grants.ts", good, { grants: ["http_client", "set_displayname"] })).toEqual([]);
    expect(await faultsOf("grants.ts", good, { grants: ["all"] })).toEqual([
      "modules.0.grants.0: write `grants: all`, without brackets",
    ]);
  });
});

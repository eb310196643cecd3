// `npm run drift`: it finds nothing on the installed Synapse, and each kind of difference where the catalogue is changed.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { type Comparison, compare, type Declared } from "../../scripts/drift/compare.js";
import { drift } from "../../scripts/drift/drift.js";
import { lookInto, type Offered } from "../../scripts/drift/installed.js";
import { judge, readIntentions } from "../../scripts/drift/intended.js";
import { report } from "../../scripts/drift/report.js";
import { KNOWN_TYPES } from "../../scripts/drift/wire-types.js";
import { readSources } from "../../scripts/generate/sources.js";
import { venvPython } from "../support/paths.js";
import { startProgram } from "../support/program.js";

const sources = readSources();
const INTENTIONS = readIntentions();
let installed: Offered;
beforeAll(async () => {
  installed = await lookInto(venvPython());
});

/** What is left of the differences that nobody intends. */
function found(declared: Declared, offered = installed): Comparison["differences"] {
  const judged = judge(compare(declared, offered, NEWEST_TESTED), INTENTIONS, NEWEST_TESTED);
  return judged.differences;
}

const told = (declared: Declared, offered?: Offered) =>
  found(declared, offered).map(({ kind, what }) => `${kind} ${what}`);

const withoutCallback = (name: string): Declared => ({
  ...sources,
  callbacks: sources.callbacks.filter((one) => one.name !== name),
});

const withCallback = (name: string, changes: object): Declared => ({
  ...sources,
  callbacks: sources.callbacks.map((one) => (one.name === name ? { ...one, ...changes } : one)),
});

const withoutMethod = (name: string): Declared => ({
  ...sources,
  methods: sources.methods.filter(([one]) => one !== name),
});

const withMethod = (name: string, changes: object): Declared => ({
  ...sources,
  methods: sources.methods.map(([one, method]) => [one, one === name ? { ...method, ...changes } : method]),
});

test("the installed Synapse has nothing that is not declared, or intended with a reason", () => {
  const judged = judge(compare(sources, installed, NEWEST_TESTED), INTENTIONS, NEWEST_TESTED);
  expect(judged.differences).toEqual([]);
  expect(judged.outlived).toEqual([]);
  for (const { why } of INTENTIONS) expect(why).toMatch(/\.$/);
});

test("Synapse's sources tell where each callback is called, and with as many arguments as its type has", () => {
  const all = Object.values(installed.callbacks).flatMap((named) => Object.entries(named));
  expect(all.length).toBe(sources.callbacks.length);
  for (const [name, { forms, calls }] of all) {
    const [ofForms, ofCalls] = [
      forms.map(({ params }) => params?.length),
      calls.map((one) => one.in_order.length),
    ];
    expect([name, ofCalls.length > 0, Math.max(...ofCalls)]).toEqual([
      name,
      true,
      Math.max(...ofForms.map(Number)),
    ]);
  }
});

test("every wire type that is compared is one of types.json, and none is left out", () => {
  expect(KNOWN_TYPES.filter((type) => !Object.hasOwn(sources.types, type))).toEqual([]);
  const methods = sources.methods.filter(([, { added }]) => !added).map(([, method]) => method);
  const used = [...sources.callbacks, ...methods].flatMap(({ params, result }) => [
    ...Object.values(params),
    result,
  ]);
  const names = new Set(used.map((type) => type.replace(/\?$/, "")));
  expect([...names].filter((type) => !KNOWN_TYPES.includes(type))).toEqual([]);
});

const LATER = "1.900.0";
const invite = { inviter: "UserId", invitee: "UserId", room_id: "RoomId" };
const changed: [kind: string, declared: () => Declared, ...differences: string[]][] = [
  [
    "a new callback",
    () => withoutCallback("user_may_invite"),
    "new callback user_may_invite, by register_spam_checker_callbacks",
  ],
  [
    "a callback that is gone",
    () => ({
      ...sources,
      callbacks: [...sources.callbacks, { ...callbackOf("on_new_event"), name: "on_old" }],
    }),
    "gone callback on_old",
  ],
  [
    "a callback of another category",
    () => withCallback("user_may_invite", { category: "ratelimit" }),
    "changed callback user_may_invite: the category is ratelimit, and in Synapse spam_checker",
  ],
  [
    "a parameter more",
    () => withCallback("user_may_invite", { params: { inviter: "UserId", invitee: "UserId" } }),
    "changed callback user_may_invite: its parameters are (inviter, invitee), and in Synapse (inviter_userid: str, invitee_userid: str, room_id: str)",
  ],
  [
    "a parameter less",
    () => withCallback("user_may_invite", { params: { ...invite, why: "Text" } }),
    "changed callback user_may_invite: its parameters are (inviter, invitee, room_id, why), and in Synapse (inviter_userid: str, invitee_userid: str, room_id: str)",
  ],
  [
    "a parameter of another type",
    () => withCallback("user_may_invite", { params: { ...invite, room_id: "Flag" } }),
    "changed callback user_may_invite: the parameter room_id is Flag, and in Synapse str",
  ],
  [
    "a parameter that may be null",
    () => withCallback("check_can_shutdown_room", { params: { user_id: "UserId", room_id: "RoomId" } }),
    "changed callback check_can_shutdown_room: the parameter user_id is UserId, and in Synapse str | None",
  ],
  [
    "a parameter that is never null",
    () => withCallback("user_may_invite", { params: { ...invite, room_id: "RoomId?" } }),
    "changed callback user_may_invite: the parameter room_id is RoomId?, and in Synapse str",
  ],
  [
    "parameters in another order",
    () =>
      withCallback("on_threepid_bind", { params: { user_id: "UserId", address: "Text", medium: "Medium" } }),
    "changed callback on_threepid_bind: the parameter address is medium where Synapse gives it",
    "changed callback on_threepid_bind: the parameter medium is address where Synapse gives it",
  ],
  [
    "another answer",
    () => withCallback("is_user_expired", { result: "Permission" }),
    "changed callback is_user_expired: the answer is Permission, and in Synapse bool | None",
  ],
  [
    "a callback that came later than Synapse has it",
    () => withCallback("user_may_invite", { since: LATER }),
    "changed callback user_may_invite: it is since 1.900.0, and this Synapse has it already",
  ],
  ["a new method", () => withoutMethod("delete_room"), "new api delete_room"],
  [
    "a new method of a part of the api",
    () => withoutMethod("http_client.put_json"),
    "new api http_client.put_json",
  ],
  [
    "a method that is gone",
    () => ({ ...sources, methods: [...sources.methods, ["delete_server", methodOf("delete_room")]] }),
    "gone api delete_server",
  ],
  [
    "a method with a parameter more",
    () => withMethod("delete_room", { params: {} }),
    "changed api delete_room: Synapse has a parameter room_id more",
  ],
  [
    "a method with a parameter less",
    () => withMethod("delete_room", { params: { room_id: "RoomId", force: "Flag" } }),
    "gone api delete_room: the parameter force",
  ],
  [
    "a method whose parameter may be left out",
    () => withMethod("get_room_state", { params: { room_id: "RoomId", event_filter: "StateFilter?" } }),
    "changed api get_room_state: the parameter event_filter is needed, and in Synapse optional",
  ],
  [
    "a method with a parameter of another type",
    () => withMethod("delete_room", { params: { room_id: "Integer" } }),
    "changed api delete_room: the parameter room_id is Integer, and in Synapse str",
  ],
  [
    "a method with another result",
    () => withMethod("delete_room", { result: "Text" }),
    "changed api delete_room: the result is Text, and in Synapse None",
  ],
  [
    "a method that Synapse dates otherwise",
    () => withMethod("delete_room", { since: "1.90.0" }),
    "changed api delete_room: it is since 1.90.0, and Synapse says 1.89.0",
  ],
  [
    "a method of Synapse with the name of an addition",
    () => withMethod("delete_room", { added: true }),
    "changed api delete_room: the bridge has added it, and Synapse has one",
  ],
  [
    "a method that was a property",
    () => ({
      ...withoutMethod("is_mine"),
      properties: [...sources.properties, ["is_mine", propertyOf("worker_app")]],
    }),
    "changed api is_mine: it is a property, and in Synapse a method",
  ],
  [
    "a new property",
    () => ({ ...sources, properties: sources.properties.filter(([name]) => name !== "worker_app") }),
    "new api worker_app",
  ],
  [
    "a property of another type",
    () => ({
      ...sources,
      properties: sources.properties.map(([name, one]) => [
        name,
        name === "worker_app" ? { ...one, type: "Text" } : one,
      ]),
    }),
    "changed api worker_app: its type is Text, and in Synapse str | None",
  ],
  [
    "a new method that takes a function",
    () => ({ ...sources, absent: sources.absent.filter(([name]) => name !== "defer_to_thread") }),
    "new api defer_to_thread",
  ],
  [
    "what modules cannot have, and is gone",
    () => ({
      ...sources,
      absent: [...sources.absent, ["defer_to_process", { why: "It takes a function." }]],
    }),
    "gone api defer_to_process",
  ],
  [
    "a new code",
    () => ({ ...sources, codes: sources.codes.filter(([name]) => name !== "FORBIDDEN") }),
    "new code FORBIDDEN",
  ],
  [
    "a code that is gone",
    () => ({ ...sources, codes: [...sources.codes, ["OLD", { value: "M_OLD" }]] }),
    "gone code OLD",
  ],
  [
    "a code of another value",
    () => ({
      ...sources,
      codes: sources.codes.map(([name, code]) => [name, name === "UNKNOWN" ? { value: "M_NO" } : code]),
    }),
    "changed code UNKNOWN: it is M_NO, and in Synapse M_UNKNOWN",
  ],
  [
    "a code, a property, a parameter and what modules cannot have that came later than Synapse has them",
    () => ({
      ...withMethod("delete_room", { params_since: { room_id: LATER } }),
      codes: sources.codes.map(([name, code]) => [
        name,
        name === "UNKNOWN" ? { ...code, since: LATER } : code,
      ]),
      properties: sources.properties.map(([name, one]) => [
        name,
        name === "worker_app" ? { ...one, since: LATER } : one,
      ]),
      absent: sources.absent.map(([name, one]) => [name, name === "sleep" ? { ...one, since: LATER } : one]),
    }),
    "changed api delete_room: the parameter room_id is since 1.900.0, and this Synapse has it already",
    "changed api sleep: it is since 1.900.0, and this Synapse has it already",
    "changed api worker_app: it is since 1.900.0, and this Synapse has it already",
    "changed code UNKNOWN: it is since 1.900.0, and this Synapse has it already",
  ],
];

test.each(changed)("it finds %s", (_, declared, ...differences) => {
  expect(told(declared())).toEqual(differences);
});

test("a callback that Synapse takes and calls nowhere is told", () => {
  const { user_may_invite: one, ...others } = installed.callbacks.spam_checker ?? {};
  if (one === undefined) throw new Error("Synapse has no user_may_invite");
  const spam_checker = { ...others, user_may_invite: { ...one, calls: [] } };
  expect(told(sources, { ...installed, callbacks: { ...installed.callbacks, spam_checker } })).toEqual([
    "changed callback user_may_invite: Synapse takes it, and no place was found that calls it",
  ]);
});

test("a parameter that Synapse gives by a name of its own is told", () => {
  const { user_may_invite: one, ...others } = installed.callbacks.spam_checker ?? {};
  if (one === undefined) throw new Error("Synapse has no user_may_invite");
  const calls = one.calls.map((call) => ({ ...call, in_order: call.in_order.slice(0, 2), by_name: ["why"] }));
  const spam_checker = { ...others, user_may_invite: { ...one, calls } };
  expect(told(sources, { ...installed, callbacks: { ...installed.callbacks, spam_checker } })).toEqual([
    "changed callback user_may_invite: Synapse gives why by its name, and the catalogue has no such parameter",
  ]);
});

test("an older Synapse may lack what came later, and what the catalogue does not date is told", () => {
  const later = /^(AS_FEDPROXY_\w+|DELAY_TOO_LARGE|USER_LIMIT_EXCEEDED|FORBIDDEN)$/;
  const { federation: _, ...callbacks } = installed.callbacks;
  const {
    "http_client.put_json": __,
    register_federation_callbacks: ___,
    sleep: ____,
    ...api
  } = installed.api;
  const codes = Object.fromEntries(Object.entries(installed.codes).filter(([name]) => !later.test(name)));
  const { register_user } = api;
  if (register_user?.kind !== "method") throw new Error("Synapse has no register_user");
  const { admin: _____, ...params } = register_user.params;
  const older = {
    version: "1.157.1",
    callbacks,
    api: { ...api, register_user: { ...register_user, params } },
    codes,
  };
  expect(told(sources, older)).toEqual([
    "undated api register_user: the parameter admin",
    "gone api http_client.put_json",
    "undated api sleep",
    "undated code FORBIDDEN",
  ]);
  const declared = withMethod("register_user", { params_since: { admin: "1.158.0" } });
  expect(told(declared, older)).not.toContain("undated api register_user: the parameter admin");
});

test("what is intended and is no difference any more is told, but for an older Synapse", () => {
  const comparison = compare(sources, installed, NEWEST_TESTED);
  const intentions = [...INTENTIONS, { why: "It was so.", differences: ["code OLD"] }];
  const judged = judge(comparison, intentions, NEWEST_TESTED);
  expect(judged.outlived).toEqual(["code OLD"]);
  expect(report(judged)).toContain("take it out of scripts/drift/intended.json (1)\n\n  code OLD\n");
  expect(judge({ ...comparison, version: "1.150.0" }, intentions, NEWEST_TESTED).outlived).toEqual([]);
});

test("what is intended before a release is a difference from it on", () => {
  const intentions = [{ why: "It was so.", before: "1.120.0", differences: ["code OLD"] }];
  const differences = [{ kind: "new", what: "code OLD" }] as const;
  const judged = (version: string) => judge({ version, differences }, intentions, NEWEST_TESTED).differences;
  expect(judged("1.119.0")).toEqual([]);
  expect(judged("1.120.0")).toEqual(differences);
});

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
ajv.addSchema(
  JSON.parse(readFileSync(new URL("../../schemas/catalogue.schema.json", import.meta.url), "utf8")),
);

/** What `catalogue.schema.json` says of a part of the catalogue. */
const schemaOf = (part: string) => ajv.compile({ $ref: `catalogue.schema.json#/definitions/${part}` });
const [fitsCallback, fitsMethod] = [schemaOf("callback"), schemaOf("method")];

/** The entry, as the file would have it. */
function pasted(differences: Comparison["differences"]): Record<string, unknown> {
  const [{ addition } = {}] = differences;
  if (addition === undefined) throw new Error("no entry is proposed");
  return JSON.parse(`{${addition.text.replace(/,$/, "")}}`);
}

test.each(sources.callbacks.map(({ name }) => name))(
  "the entry for %s, as if it were new, is valid and ends the difference",
  (name) => {
    const others = withoutCallback(name);
    const entry = pasted(found(others))[name] as (typeof sources.callbacks)[number];
    fitsCallback(entry);
    expect(fitsCallback.errors ?? []).toEqual([]);
    for (const type of [...Object.values(entry.params), entry.result]) {
      expect(Object.keys(sources.types)).toContain(type.replace(/\?$/, ""));
    }
    const callbacks = [...others.callbacks, { ...entry, name }];
    expect(told({ ...others, callbacks })).toEqual([]);
  },
);

test.each(sources.methods.filter(([, { added }]) => !added).map(([name]) => name))(
  "the entry for api.%s, as if it were new, is valid and ends the difference",
  (name) => {
    const others = withoutMethod(name);
    const entry = pasted(found(others))[name] as (typeof sources.methods)[number][1];
    fitsMethod(entry);
    expect(fitsMethod.errors ?? []).toEqual([]);
    expect(told({ ...others, methods: [...others.methods, [name, entry]] })).toEqual([]);
  },
);

const members: [list: "properties" | "absent" | "codes", name: string, schema: string][] = [
  ["properties", "worker_app", "api/properties/properties/additionalProperties"],
  ["absent", "defer_to_thread", "api/properties/absent/additionalProperties"],
  ["codes", "FORBIDDEN", "codes/additionalProperties"],
];

test.each(members)(
  "the entry in %s for %s, as if it were new, is valid and ends the difference",
  (list, name, schema) => {
    const others = { ...sources, [list]: sources[list].filter(([one]) => one !== name) };
    const entry = pasted(found(others))[name];
    const fits = schemaOf(schema);
    fits(entry);
    expect(fits.errors ?? []).toEqual([]);
    expect(told({ ...others, [list]: [...others[list], [name, entry]] })).toEqual([]);
  },
);

test("the entries for more parameters keep those that are declared", () => {
  const callback = withCallback("check_username_for_spam", {
    params: { user_profile: "UserProfile" },
    params_since: undefined,
  });
  expect(pasted(found(callback))).toEqual({
    params: { user_profile: "UserProfile", requester_id: "Text" },
    params_since: { requester_id: installed.version },
  });
  const method = withMethod("register_user", { params: { localpart: "Text" } });
  expect(pasted(found(method))).toEqual({
    params: { localpart: "Text", "displayname?": "Text?", "emails?": "Texts?", "admin?": "Flag" },
    params_since: { displayname: installed.version, emails: installed.version, admin: installed.version },
  });
});

test("what Synapse does not tell is left to decide: a name, a type, a category", () => {
  const form = { params: ["str", "str | None", "KnockInfo"], result: "Door | bool" };
  const call = { at: "door.py:1", in_order: ["target_user_id", null], by_name: ["info"] };
  const knock = { forms: [form], calls: [call], told: null };
  const callbacks = { ...installed.callbacks, door: { user_may_knock: knock } };
  const [{ addition } = {}] = found(sources, { ...installed, version: "1.164.0rc1", callbacks });
  expect(addition?.text).toContain(
    '"params": {"target_user_id": "UserId", "param_2": "Text?", "info": "KnockInfo"},',
  );
  expect(addition?.text).toContain('"since": "1.164.0",');
  const left = addition?.decide.join("\n");
  expect(left).toContain("param_2: Synapse's sources tell no name");
  expect(left).toMatch(/info: neither .* KnockInfo$/m);
  expect(left).toMatch(/result: neither .* Door \| bool$/m);
  expect(left).toContain("category: catalogue.schema.json lists them, and door is new");
});

test("the report has each entry as it is pasted, and what is left to decide", () => {
  const judged = judge(
    compare(withoutCallback("user_may_join_room"), installed, NEWEST_TESTED),
    INTENTIONS,
    NEWEST_TESTED,
  );
  const text = report(judged);
  expect(text).toContain("New: Synapse has it, and the catalogue has not (1)");
  expect(text).toMatch(/user_may_join_room, .*\(module_api\/callbacks\/spamchecker_callbacks\.py:\d+\)/);
  expect(text).toContain("schemas/callbacks.json:");
  expect(text).toContain('"params": {"user_id": "UserId", "room_id": "RoomId", "is_invited": "Flag"},');
  expect(text).toContain("decide: result and on_failure");
});

test("it says by its exit code whether there is something to do, and whether it could look", async () => {
  const printed: string[] = [];
  const print = (text: string) => printed.push(text);
  expect(await drift({ declared: sources, print })).toBe(0);
  expect(await drift({ declared: withoutMethod("delete_room"), print })).toBe(1);
  expect(printed.join("")).toMatch(/nothing to do; .*New: .*"delete_room": {.* 1 to do; /s);
  const program = startProgram({
    command: process.execPath,
    args: ["node_modules/jiti/lib/jiti-cli.mjs", "scripts/drift.ts", "--synapse", "1.2"],
    cwd: new URL("../..", import.meta.url).pathname,
  });
  expect(await program.exited).toBe(2);
  await program.closed;
  expect(program.stderr()).toContain("1.2 is no version of Synapse");
  // It imports all of Synapse, twice.
}, 120_000);

function callbackOf(name: string) {
  const found = sources.callbacks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no callback ${name}`);
  return found;
}

function methodOf(name: string) {
  const found = new Map(sources.methods).get(name);
  if (found === undefined) throw new Error(`no method ${name}`);
  return found;
}

function propertyOf(name: string) {
  const found = new Map(sources.properties).get(name);
  if (found === undefined) throw new Error(`no property ${name}`);
  return found;
}

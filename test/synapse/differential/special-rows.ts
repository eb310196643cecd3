// The rows about logins, background updates and unsigned fields.
import { Client, password, signedIn } from "../../support/client.js";
import { endsOf, untilIdle } from "./background-updates.js";
import type { Intended } from "./rows.js";
import type { Action, AnswerSpec, Script } from "./script.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

type Module = "first" | "second" | "third";
type Actions = (side: Side) => Partial<Record<Module, Action>>;

export interface SpecialRow {
  readonly callback: string;
  readonly trigger: Trigger;
  readonly answer: string;
  readonly actions: Actions;
  readonly intended?: { readonly why: Intended["why"]; readonly actions: Actions };
}

export const scriptOf =
  (callback: string, actions: Actions) =>
  (side: Side): Script =>
    Object.fromEntries(
      Object.entries(actions(side)).map(([module, action]) => [module, { [callback]: action }]),
    );

const anonymous = (side: Side) => new Client(side.server.baseUrl);
const v3 = "/_matrix/client/v3";
const value = (
  given: AnswerSpec extends infer Spec ? (Spec extends { value: infer V } ? V : never) : never,
): Action => ({
  answer: { value: given },
});
const userOf = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;
const forbidden = { synapse_error: { code: 403, msg: "not you", errcode: "ORG.EXAMPLE.NO" } };
const broken = { exception: "broken policy" };

const loginAs = (
  title: string,
  log: (side: Side) => Promise<Awaited<ReturnType<Client["post"]>>>,
): Trigger => ({
  title,
  async act(side) {
    const answer = await log(side);
    const effect = async () => {
      const known = await signedIn(side.server, answer.body).whoami();
      return { whoami: known.status, user: known.body.user_id };
    };
    return { answers: [answer], effect };
  },
});

const device = { device_id: "SAME" };
const byPassword = loginAs("a login by the right password", (side) =>
  anonymous(side).login("bob", password, device),
);
const byWrongPassword = loginAs("a login by a password that only a module knows", (side) =>
  anonymous(side).login("bob", "wrong", device),
);
const byToken = loginAs("a login by a token", (side) =>
  anonymous(side).post(`${v3}/login`, {
    type: "org.example.token",
    identifier: { type: "m.id.user", user: userOf(side, "bob") },
    token: { secret: [1, "two"] },
    device: null,
    other: "not asked for",
    ...device,
  }),
);
const byNothing = loginAs("a login by nothing", (side) =>
  anonymous(side).post(`${v3}/login`, { type: "org.example.nothing", user: "bob", ...device }),
);
const withoutField = loginAs("a login that lacks a field", (side) =>
  anonymous(side).post(`${v3}/login`, { type: "org.example.token", user: "bob", token: "x", ...device }),
);
const byEmail = loginAs("a login by an email address", (side) =>
  anonymous(side).post(`${v3}/login`, {
    type: "m.login.password",
    identifier: { type: "m.id.thirdparty", medium: "email", address: "Bob@Example.ORG" },
    password: "secret",
    ...device,
  }),
);
const flows: Trigger = {
  title: "the login types that there are",
  act: async (side) => ({ answers: [await anonymous(side).get(`${v3}/login`)] }),
};
const reauthentication: Trigger = {
  title: "a user who proves again to be themselves",
  async prepare(side, n) {
    const name = `again${n}`;
    await side.user(name);
    return signedIn(side.server, (await anonymous(side).login(name, password, { device_id: "OLD" })).body);
  },
  async act(_side, client: Client, n) {
    const identifier = { type: "m.id.user", user: `again${n}` };
    const auth = { type: "m.login.password", identifier, password: "only a module knows" };
    const { status, body } = await client.request("DELETE", `${v3}/devices/OLD`, { json: { auth } });
    // Synapse keeps the flows in a set, which has no order.
    if (body.flows) body.flows = body.flows.map((flow: object) => JSON.stringify(flow)).sort();
    const answer = { status, body, text: JSON.stringify(body) };
    return { answers: [answer], effect: async () => (await client.whoami()).status };
  },
};

const bob = (side: Side) => ({ first: value(userOf(side, "bob")) });
const bobThen =
  (later: NonNullable<Action["later"]>): Actions =>
  (side) => ({ first: { ...value(userOf(side, "bob")), later } });
const edits = [
  { path: ["org.example.added"], set: { a: [1, "☃"] } },
  { path: ["device_id"], set: "CHANGED" },
  { path: ["home_server"], unset: true },
] as const;

const loginAnswers: readonly (readonly [string, Actions])[] = [
  ["nothing out of the ordinary", () => ({})],
  ["a user", bob],
  ["null", () => ({ first: value(null) })],
  ["a user who does not exist", (side) => ({ first: value(userOf(side, "nobody")) })],
  ["a localpart", () => ({ first: value("bob") })],
  ["a number", () => ({ first: value(5) })],
  ["true", () => ({ first: value(true) })],
  ["an empty list", () => ({ first: value([]) })],
  ["an object", () => ({ first: value({ user_id: "bob" }) })],
  ["a SynapseError", () => ({ first: { throw: forbidden } })],
  ["an exception", () => ({ first: { throw: broken } })],
  ["a pass and a user of two modules", (side) => ({ second: value(userOf(side, "bob")) })],
  ["two users of two modules", (side) => ({ ...bob(side), second: value(userOf(side, "alice")) })],
  [
    "an exception and a user of two modules",
    (side) => ({ first: { throw: broken }, third: value(userOf(side, "bob")) }),
  ],
  ["a user, and then edits of the response", bobThen({ edit: edits })],
  ["a user, and then edits of the response, later", bobThen({ edit: edits, async: true })],
  ["a user, and then nothing", bobThen({})],
  ["a user, and then a SynapseError", bobThen({ edit: edits, throw: forbidden })],
  ["a user, and then an exception, later", bobThen({ throw: broken, async: true })],
];

const few = (...titles: string[]) => loginAnswers.filter(([title]) => titles.includes(title));

const unfit = ["a user who does not exist", "a localpart"];

const logins = (callback: string, trigger: Trigger, answers = loginAnswers): SpecialRow[] =>
  answers.map(([answer, actions]) => ({
    ...{ callback, trigger, answer, actions },
    ...(unfit.includes(answer) && {
      intended: {
        why: "nobody is logged in whom Synapse does not know, and the module is named, instead of a 404",
        actions: () => ({ first: value(null) }),
      },
    }),
  }));

// Unsigned fields

const note = { number: 2, list: [1, { a: null }], nested: { "dotted.key": "text" }, body: "b" };
const shownEvent = (title: string, type: string, content: object): Trigger => ({
  title,
  async prepare({ alice, room }, n) {
    const { body } = await alice.send(room, content, type, `txn${n}`);
    return body.event_id;
  },
  async act({ alice, bob: other, room }, event: string) {
    const answers = [await alice.event(room, event), await other.event(room, event)];
    const filter = JSON.stringify({
      room: { rooms: [room], timeline: { limit: 1 }, state: { types: [] } },
      presence: { types: [] },
      account_data: { types: [] },
    });
    const { status, body } = await other.sync({ timeout: "0", filter });
    const timeline = body.rooms?.join?.[room]?.timeline?.events ?? body;
    return { answers, effect: async () => ({ status, timeline }) };
  },
});
const message = shownEvent("a message", "m.room.message", { msgtype: "m.text", body: "hello" });
const unsignedRow = (trigger: Trigger, answer: string, actions: Actions): SpecialRow => ({
  callback: "add_field_to_unsigned_callback",
  trigger,
  answer,
  actions,
});
const contained = (answer: string, action: Action): SpecialRow => ({
  ...unsignedRow(message, answer, () => ({ first: action, second: value({ b: 2 }) })),
  intended: {
    why: "a fault adds no fields, instead of failing the whole answer",
    actions: () => ({ first: value({}), second: value({ b: 2 }) }),
  },
});

const unsignedRows: readonly SpecialRow[] = [
  unsignedRow(message, "no fields", () => ({})),
  unsignedRow(message, "fields", () => ({ first: value({ "org.example.a": { b: [1, null, "☃"] } }) })),
  unsignedRow(message, "fields of two modules, of which one is the same", () => ({
    first: value({ a: { x: 1 }, b: 1 }),
    second: value({ a: { y: 2 }, c: 3 }),
  })),
  unsignedRow(message, "fields that Synapse sets itself", () => ({
    first: value({ age: -1, transaction_id: "t" }),
  })),
  contained("a number", value(5)),
  contained("a SynapseError", { throw: forbidden }),
  contained("an exception", { throw: broken }),
  unsignedRow(
    shownEvent("an event with all that the template names", "org.example.note", note),
    "a template",
    () => ({}),
  ),
  unsignedRow(shownEvent("an event with nothing of it", "org.example.note", {}), "a template", () => ({})),
  unsignedRow(
    shownEvent("an event that match excludes", "org.example.note", { quiet: true }),
    "a template",
    () => ({}),
  ),
];

// Background updates

const update: Trigger = {
  title: "the directory built anew",
  distinctCalls: true,
  async act(side) {
    const ends = endsOf(side.server);
    const job = { job_name: "regenerate_directory" };
    const answer = await side.admin.admin("POST", "v1/background_updates/start_job", job);
    await untilIdle(side.server, ends);
    return { answers: [answer] };
  },
};
const updateRow = (callback: string, answer: string, action: Action): SpecialRow => ({
  callback,
  trigger: update,
  answer,
  actions: () => ({ first: action }),
});
const updateRows: readonly SpecialRow[] = [
  updateRow("on_update", "null", value(null)),
  updateRow("on_update", "a duration", value(250)),
  updateRow("on_update", "a duration, and then nothing", { ...value(250), later: {} }),
  updateRow("on_update", "a duration, and then nothing, later", { ...value(250), later: { async: true } }),
  updateRow("min_batch_size", "a size", value(2)),
];

export const specialRows: readonly SpecialRow[] = [
  ...logins(
    "auth_checkers",
    byPassword,
    few("nothing out of the ordinary", "null", "a SynapseError", "an exception", "a number"),
  ),
  ...logins("auth_checkers", byWrongPassword),
  ...logins("auth_checkers", byToken),
  ...logins("auth_checkers", byNothing, few("a user", "null")),
  ...logins("auth_checkers", reauthentication, few("null", "an exception", "a user")).map((row) => ({
    ...row,
    actions:
      row.actions === bob
        ? (side: Side) => ({ first: { answer: { value: userOf(side, "bob") } } })
        : row.actions,
  })),
  ...logins("check_3pid_auth", byEmail),
  ...unsignedRows,
  ...updateRows,
];

/** Those in which no module is asked. */
export const unasked: readonly SpecialRow[] = [
  ...logins("auth_checkers", withoutField, few("a user")),
  ...logins("auth_checkers", flows, few("nothing out of the ordinary")),
];

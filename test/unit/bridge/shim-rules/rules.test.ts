// What the authors' kit decides as the shim does: by cases that both read, and by what the shim itself says about any others.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Match } from "../../../../bridge/catalogue/protocol.js";
import { AnswerCache, questionOf } from "../../../../bridge/shim-rules/answer-cache.js";
import { matches } from "../../../../bridge/shim-rules/match.js";
import { isPerModule, mergeAnswers, outcomeOf } from "../../../../bridge/shim-rules/outcome.js";
import { fillTemplate } from "../../../../bridge/shim-rules/template.js";
import { harnessFile, venvPython } from "../../../support/paths.js";

type Params = Record<string, unknown>;
type Case = readonly [rule: string, ...args: unknown[]];
type Said = { result: unknown; params?: unknown };

const shared: Record<"template" | "same" | "cache" | "outcome", unknown[][]> = JSON.parse(
  readFileSync(new URL("../../shim-rule-cases.json", import.meta.url), "utf8"),
);

const callbackOf = (name: unknown): Callback => {
  const callback = catalogue().callbacks.get(String(name));
  if (!callback) throw new Error(`there is no callback ${name}`);
  return callback;
};

/** What the shim itself says about these cases. */
function shim(cases: readonly Case[]): Said[] {
  const output = execFileSync(venvPython(), [harnessFile("shim_rules.py")], {
    input: JSON.stringify(cases),
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output.toString());
}

/** What the kit says, with the parameters as the shim sends them. */
const rules: Record<string, (args: readonly unknown[], params: unknown) => unknown> = {
  match: ([name, match], params) => matches(callbackOf(name), match as Match, params as Params, "test"),
  template: ([template], params) =>
    fillTemplate(callbackOf("add_field_to_unsigned_callback"), template, params as Params) ?? null,
  same([name], params) {
    const [one, other] = (params as Params[]).map((of) => questionOf(callbackOf(name), of, stateOf(of), "x"));
    return one === other;
  },
  outcome: ([name, answer, decided]) => outcomeOf(callbackOf(name), answer, decided === true, catalogue()),
};

/** The ids of the state events: the shim knows all of them, and sends those that a module declares. */
const stateIds = new WeakMap<object, string[]>();
const stateOf = (params: Params): string[] => stateIds.get(params) ?? [];

async function cached([ttl, steps]: readonly unknown[]): Promise<unknown> {
  let now = 0;
  const cache = new AnswerCache<{ answer: unknown }>(Number(ttl), () => now);
  const results: unknown[] = [];
  for (const [at, question, answer] of steps as [number, string, unknown][]) {
    now = at;
    const { reply, cached: kept } = await cache.ask(question, async () => ({ answer }));
    results.push([reply.answer, kept]);
  }
  return results;
}

test.each(shared.cache)("of answers kept for %j s, %j: %j", async (...[ttl, steps, expected]) => {
  expect(await cached([ttl, steps])).toEqual(expected);
});

test.each(shared.outcome)(
  "the outcome of %s, %j (decided: %j) is %s",
  (...[name, answer, decided, expected]) => {
    expect(rules.outcome?.([name, answer, decided], undefined)).toBe(expected);
  },
);

test("the cases of templates and of equal questions come to the same as in the shim", () => {
  const cases = (["template", "same"] as const).flatMap((rule) =>
    shared[rule].map((one) => ({
      one: [rule, ...one.slice(0, -1)] as unknown as Case,
      expected: one.at(-1),
    })),
  );
  const said = shim(cases.map(({ one }) => one));
  for (const [index, { one, expected }] of cases.entries()) {
    const [rule, ...args] = one;
    const { result, params } = said[index] ?? { result: undefined };
    if (rule === "same") noteState(args.slice(1), params as Params[]);
    expect([one, result, rules[rule]?.(args, params)]).toEqual([one, expected, expected]);
  }
});

/** Which state events a case has, by any name: the ids of real ones are their hashes. */
function noteState(given: unknown[], params: Params[]): void {
  for (const [index, one] of (given as { state_events?: object[] }[]).entries()) {
    const wire = params[index];
    if (wire)
      stateIds.set(
        wire,
        (one.state_events ?? []).map((event) => JSON.stringify(event)),
      );
  }
}

const text = fc.oneof(
  fc.constantFrom("m.room.message", "@alice:test", "@bob:elsewhere", "a.b", "", "x*y", "aaab"),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const glob = fc
  .array(
    fc.oneof(fc.constantFrom("*", "?", "a", "@", ":test", "m.room.", "**"), fc.string({ maxLength: 2 })),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(""));
const value = fc.oneof(text, fc.boolean(), fc.constant(null), fc.integer({ min: -9, max: 9 }));
const content = fc.dictionary(
  fc.constantFrom("body", "a", "a.b", "flag", "toString"),
  fc.oneof(value, fc.dictionary(fc.constantFrom("a", "b.c"), value), fc.array(value, { maxLength: 2 })),
);
const pdu = fc.record(
  {
    type: fc.constantFrom("m.room.message", "m.room.topic", "m.room.member"),
    sender: fc.constantFrom("@alice:test", "@bob:elsewhere", "@bot:test"),
    state_key: fc.constantFrom("", "@alice:test"),
    room_version: fc.constantFrom("3", "10", "11"),
    content,
    "a.b": value,
    unsigned: fc.dictionary(fc.constantFrom("age", "age_ts", "a"), fc.integer({ min: 0, max: 2 })),
  },
  { requiredKeys: ["content"] },
);
const asked = fc.oneof(
  pdu.map((event): [string, object] => ["check_event_for_spam", { event }]),
  fc
    .record({ inviter: text, invitee: text, room_id: text })
    .map((params): [string, object] => ["user_may_invite", params]),
  fc
    .record({ user_id: text, room_alias: fc.constantFrom("#a:test", "#b:x:1") })
    .map((params): [string, object] => ["user_may_create_room_alias", params]),
  fc
    .record({
      user_profile: fc.record({ user_id: text, display_name: fc.option(text), avatar_url: fc.option(text) }),
      requester_id: fc.constantFrom("@alice:test", "@x:elsewhere"),
    })
    .map((params): [string, object] => ["check_username_for_spam", params]),
  fc
    .record({
      requester: fc.constantFrom("@alice:test"),
      request_content: content,
      is_requester_admin: fc.boolean(),
    })
    .map((params): [string, object] => ["on_create_room", params]),
);
const path = fc.constantFrom(
  ...[
    "type",
    "sender",
    "state_key",
    "content.body",
    "content.a",
    "content.a\\.b",
    "content.a.b\\.c",
    "a\\.b",
  ],
  ...[
    "content.flag",
    "content.toString",
    "event.type",
    "room_version",
    "room_id",
    "inviter",
    "invitee",
    "user_id",
  ],
  ...["room_alias", "user_profile.display_name", "requester_id", "requester.user_id", "is_requester_admin"],
  ...["request_content.a", "content.body.x", "unsigned.a"],
);
const conditions = fc.dictionary(
  path,
  fc.oneof(fc.boolean(), fc.array(fc.oneof(glob, text), { maxLength: 3 })),
  {
    maxKeys: 2,
  },
);
const match = fc
  .tuple(conditions, fc.option(conditions, { nil: undefined }), fc.option(fc.boolean(), { nil: undefined }))
  .map(([wanted, not, local]) => ({ ...wanted, ...(not && { not }), ...(local !== undefined && { local }) }));
const template = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.oneof(
    path.map((one) => ({ $event: one })),
    value,
    fc.array(path.map((one) => ({ $event: one }))),
  ),
);

const RUNS = 400;
const SEED = Date.now();

test.each<[string, fc.Arbitrary<Case>]>([
  ["match", fc.tuple(asked, match).map(([[name, params], one]) => ["match", name, one, params])],
  ["a template", fc.tuple(template, pdu).map(([one, event]) => ["template", one, event])],
  [
    "whether two calls ask the same",
    fc.tuple(pdu, pdu, fc.boolean()).map(([one, other, alike]) => {
      const second = alike ? { ...one, unsigned: { ...one.unsigned, age: 1 } } : other;
      return ["same", "check_event_for_spam", { event: one }, { event: second }];
    }),
  ],
])("%s comes to the same as in the shim, whatever is asked", (_, arbitrary) => {
  const cases = fc.sample(arbitrary, { numRuns: RUNS, seed: SEED });
  const said = shim(cases);
  for (const [index, one] of cases.entries()) {
    const [rule, ...args] = one;
    const { result, params } = said[index] ?? { result: undefined };
    expect({ seed: SEED, one, result: rules[rule]?.(args, params) }).toEqual({ seed: SEED, one, result });
  }
  // The cases are of both kinds.
  if (cases[0]?.[0] !== "template")
    expect(new Set(said.map(({ result }) => result))).toEqual(new Set([true, false]));
});

test("answers that Synapse merges are merged as it does", () => {
  const of = (name: string) => callbackOf(name);
  expect(mergeAnswers(of("get_interested_users"), [["@a:x"], ["@a:x", "@b:x"]])).toEqual(["@a:x", "@b:x"]);
  expect(mergeAnswers(of("get_interested_users"), [["@a:x"], "ALL"])).toBe("ALL");
  expect(mergeAnswers(of("add_field_to_unsigned_callback"), [{ a: 1, b: 1 }, { a: 2 }])).toEqual({
    a: 2,
    b: 1,
  });
  expect(mergeAnswers(of("get_users_for_states"), [{ "@a:x": [1] }, { "@a:x": [1, 2], "@b:x": [] }])).toEqual(
    {
      "@a:x": [1, 2],
      "@b:x": [],
    },
  );
  expect(isPerModule(of("check_3pid_auth"), catalogue())).toBe(true);
  expect(isPerModule(of("user_may_invite"), catalogue())).toBe(false);
});

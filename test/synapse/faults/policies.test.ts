/** Answers that do not fit, and none at all, in each forwarded callback under each policy, on a real Synapse. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { logged } from "../../support/log.js";
import { observed } from "../../support/observed.js";
import { type CatalogueEntry, compared } from "../differential/catalogue.js";
import { exactly, normalise } from "../differential/normal.js";
import { firstDoes } from "../differential/rows.js";
import type { Action } from "../differential/script.js";
import { bridgeModules, type Files, type Side, type Sides, startSides } from "../differential/sides.js";
import type { Trigger } from "../differential/trigger.js";
import { triggersOf } from "../differential/triggers.js";
import {
  type Failure,
  returnsNothing,
  type Setting,
  settingsOf,
  standIn,
  unfitAnswers,
} from "./stand-ins.js";

const entries = Object.fromEntries(compared);
let sides: Sides<Setting>;

beforeAll(async () => {
  const under = (setting: Setting) => (files: Files) => {
    const able = compared.filter(([, { on_failure }]) => setting !== "default" && setting in on_failure);
    const callbacks = Object.fromEntries(able.map(([callback]) => [callback, { on_failure: setting }]));
    return bridgeModules(files, ["first"], { callbacks, timeout: 1_500 });
  };
  const servers = { allow: under("allow"), deny: under("deny"), defer: under("defer") };
  sides = await startSides<Setting>({ ...servers, default: under("default") });
}, 120_000);

afterAll(() => sides?.stop(), 30_000);

interface Case {
  readonly callback: string;
  readonly trigger: Trigger;
  readonly values: readonly unknown[];
}

/** The first trigger of each callback gets all answers; the others tell what is local or federated about it. */
const cases: readonly Case[] = compared.flatMap(([callback, { result }]) =>
  triggersOf(callback)
    .filter(({ remoteUser, title }, index) => index === 0 || remoteUser || title === "a user's own leave")
    .map((trigger, index) => {
      const values = unfitAnswers[result];
      if (!values) throw new Error(`stand-ins.ts has no unfit answers for the result type ${result}`);
      return { callback, trigger, values: index === 0 ? values : values.slice(0, 1) };
    }),
);
const titled = cases.map((one) => [`${one.callback}, asked about ${one.trigger.title}`, one] as const);

// Its digits are in no other number of an answer.
let count = 10_000;

interface Seen {
  readonly statuses: string;
  readonly bodies: string;
  readonly later: string;
}

/** What comes of a trigger while the module does this. */
async function outcomeOf(side: Side, { callback, trigger }: Case, action: Action): Promise<Seen> {
  count += 1;
  const n = count;
  const prepared = await trigger.prepare?.(side, n);
  side.forget();
  side.write(firstDoes(callback, trigger, { title: "", action })(side, n));
  const { answers, effect } = await trigger.act(side, prepared, n);
  const asked = () => side.seen().some((seen) => seen.callback === callback);
  await waitFor(`${callback} to be asked`, asked);
  side.write({});
  const later = (await effect?.()) ?? null;
  // The number of the run, and how many rooms there were before it.
  const plain = (value: unknown) =>
    JSON.stringify(normalise(value, side.names))
      .replace(/\d+/g, (digits) => (digits === `${n}` ? "N" : digits))
      .replace(/"rooms":\d+/, '"rooms":"some"');
  const statuses = answers.map(({ status, body }) => [status, body?.errcode].filter(Boolean).join(" "));
  const shown = answers.map(({ status, text }) => ({ status, body: exactly(text) }));
  return { statuses: statuses.join(", "), bodies: plain(shown), later: plain(later) };
}

const scripts: Readonly<Record<Failure, (value: unknown) => Action>> = {
  unfit: (value) => ({ answer: { value: value as never } }),
  hang: () => ({ hang: true }),
};

/** What a client of ours gets. */
function statusOf({ throw: thrown }: Action): string {
  if (!thrown) return "200";
  return "exception" in thrown
    ? "500 M_UNKNOWN"
    : `${thrown.synapse_error.code} ${thrown.synapse_error.errcode}`;
}

/** Whether what the module throws is what a client gets, and all that it gets. */
const tellsClients = ({ category }: CatalogueEntry) =>
  category === "spam_checker" || category === "third_party_rules";

const known = new Map<string, Promise<Seen>>();

/** What a module gets that does this itself: seen once for all failures that must look like it. */
function expectedOf(side: Side, one: Case, setting: Setting, action: Action): Promise<Seen> {
  const key = JSON.stringify([one.callback, one.trigger.title, setting, action]);
  const seen = known.get(key) ?? outcomeOf(side, one, action);
  known.set(key, seen);
  return seen;
}

/** Lets the module fail on all servers at once, and holds what comes of it against what it must be like. */
async function check(one: Case, failure: Failure, values: readonly unknown[], row: number): Promise<void> {
  const entry = entries[one.callback] as CatalogueEntry;
  const under = async (setting: Setting) => {
    const side = sides.sides[setting];
    const decisions = () => logged(side.server, `callback=${one.callback} module=first outcome=`).length;
    const action = standIn(entry, one.trigger, setting, failure);
    const expected = await expectedOf(side, one, setting, action);
    if (tellsClients(entry) && !one.trigger.remoteUser && !action.answer)
      expect(expected.statuses).toBe(statusOf(action));
    for (const value of values) {
      const before = decisions();
      const seen = await outcomeOf(side, one, scripts[failure](value));
      expect({ setting, value, ...seen }).toEqual({ setting, value, ...expected });
      if (failure === "unfit" && !returnsNothing(entry)) {
        await waitFor("the decision in the log", () => decisions() > before);
      }
    }
    const answers = values.map((value) => JSON.stringify(value)).join(" or ");
    const what = failure === "unfit" ? `answers ${answers}` : "never answers";
    observed(row, {
      on: one.trigger.remoteUser ? "federating Synapses" : "real Synapse",
      tried: `${one.callback}, asked about ${one.trigger.title}, ${what}`,
      policy: setting,
      outcome: one.trigger.remoteUser ? `${expected.statuses}; then ${expected.later}` : expected.statuses,
    });
  };
  await Promise.all(settingsOf(entry).map(under));
}

describe("an answer that does not fit has the outcome that the policy says", () => {
  test.each(titled)("%s", async (_, one) => check(one, "unfit", one.values, 25), 60_000);
});

describe("no answer at all has the outcome that the policy says", () => {
  test.each(titled)("%s", async (_, one) => check(one, "hang", [undefined], 11), 60_000);
});

test("no server has mishandled a log context, or left an error unhandled", () => {
  for (const { server } of Object.values(sides.sides)) expect(logged(server, "Unhandled")).toEqual([]);
});

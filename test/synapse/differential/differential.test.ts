// Holds modules in TypeScript against the same modules in Python, on real servers, callback by callback.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { compared } from "./catalogue.js";
import { choose, titleOf } from "./chosen.js";
import { type MakeScript, type Outcome, runRow } from "./row.js";
import { rows } from "./rows.js";
import { type Sides, startPair } from "./sides.js";
import { Table } from "./table.js";
import { triggeredCallbacks } from "./triggers.js";

let sides: Sides;
const { present, absent } = choose(rows);
const table = new Table(absent);

beforeAll(async () => {
  sides = await startPair();
}, 90_000);

afterAll(async () => {
  table.show("differential");
  await sides?.stop();
}, 30_000);

test("every callback has a trigger, but for those that are compared apart", () => {
  expect(triggeredCallbacks).toEqual(compared.map(([callback]) => callback).sort());
});

const chosenRows = present.map((row) => [titleOf(row), row] as const);
const ordinary = chosenRows.filter(([, { intended }]) => !intended);
const intendedRows = chosenRows.filter(([, { intended }]) => intended);
const describeIfAny = (those: readonly unknown[]) => (those.length > 0 ? describe : describe.skip);

describeIfAny(ordinary)("a module in TypeScript does what the same module does in Python", () => {
  test.each(ordinary)("%s", async (title, row) => {
    const scripts = { bridge: row.script, twin: row.script };
    const { bridge, twin } = await runRow(sides.sides, {
      callback: row.callback,
      trigger: row.trigger,
      scripts,
    });
    const equal = JSON.stringify(bridge) === JSON.stringify(twin);
    table.add(row.callback, equal ? "equal" : "different", equal ? undefined : `different: ${title}`);
    expect(bridge).toEqual(twin);
    expect(Object.keys(bridge.calls).some((key) => key.split(" ")[0] === row.callback)).toBe(true);
  });
});

describeIfAny(intendedRows)("an intended difference", () => {
  test.each(intendedRows)("%s", async (title, { trigger, callback, script, intended }) => {
    if (!intended) return;
    const compare = (bridge: MakeScript, twin: MakeScript) =>
      runRow(sides.sides, { callback, trigger, scripts: { bridge, twin } });
    const meant = await compare(script, intended.script);
    const json = JSON.stringify;
    let asMeant = json(meant.bridge) === json(meant.twin);
    if (intended.likeInPython) {
      // What Synapse takes the very same script for where it is in Python.
      const inPython = await compare(intended.likeInPython, script);
      const outcome = ({ answers, effect }: Outcome) => json([answers, effect]);
      asMeant &&=
        json(inPython.bridge) === json(inPython.twin) && outcome(meant.bridge) !== outcome(inPython.twin);
      expect(inPython.bridge).toEqual(inPython.twin);
    }
    const kind = asMeant ? "intended" : "different";
    table.add(callback, kind, `${kind} (${intended.why}): ${title}`);
    expect(meant.bridge).toEqual(meant.twin);
    expect(asMeant).toBe(true);
  });
});

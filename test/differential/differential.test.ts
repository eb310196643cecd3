// Holds modules in TypeScript against the same modules in Python, on real servers, callback by callback.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { compared } from "./catalogue.js";
import { type MakeScript, runRow } from "./row.js";
import { type Row, rows } from "./rows.js";
import { type Sides, startSides } from "./sides.js";
import { Table } from "./table.js";
import { triggeredCallbacks } from "./triggers.js";

let sides: Sides;
const table = new Table();

beforeAll(async () => {
  sides = await startSides();
}, 90_000);

afterAll(async () => {
  table.show();
  await sides?.stop();
}, 30_000);

test("every callback of the catalogue's spam checker and third-party rules has a trigger, and no other", () => {
  expect(triggeredCallbacks).toEqual(compared.map(([callback]) => callback).sort());
});

const chosen = new RegExp(process.env.DIFFERENTIAL_ROWS ?? "");
const titleOf = ({ callback, trigger, answer }: Row) =>
  `${callback}, asked about ${trigger.title}: ${answer}`;
const chosenRows = rows.map((row) => [titleOf(row), row] as const).filter(([title]) => chosen.test(title));
const ordinary = chosenRows.filter(([, { intended }]) => !intended);
const intendedRows = chosenRows.filter(([, { intended }]) => intended);
const describeIfAny = (those: readonly unknown[]) => (those.length > 0 ? describe : describe.skip);

describeIfAny(ordinary)("a module in TypeScript does what the same module does in Python", () => {
  test.each(ordinary)("%s", async (title, row) => {
    const scripts = { bridge: row.script, twin: row.script };
    const { bridge, twin } = await runRow(sides, { callback: row.callback, trigger: row.trigger, scripts });
    const equal = JSON.stringify(bridge) === JSON.stringify(twin);
    table.add(row.callback, equal ? "equal" : "different", equal ? undefined : `different: ${title}`);
    expect(bridge).toEqual(twin);
    expect(Object.keys(bridge.calls).some((key) => key.split(" ")[0] === row.callback)).toBe(true);
  });
});

describeIfAny(intendedRows)(
  "the one intended difference: where Synapse takes an error for a yes, the bridge refuses",
  () => {
    test.each(intendedRows)("%s", async (title, row) => {
      const { trigger, callback, intended } = row;
      if (!intended) return;
      const yes = () => ({ first: { [callback]: { answer: { value: true } } } });
      const compare = (bridge: MakeScript, twin: MakeScript) =>
        runRow(sides, { callback, trigger, scripts: { bridge, twin } });
      const refusal = await compare(row.script, intended.script);
      const inPython = await compare(yes, row.script);
      const json = JSON.stringify;
      const asMeant =
        json(refusal.bridge) === json(refusal.twin) &&
        json(inPython.bridge) === json(inPython.twin) &&
        json(refusal.bridge.answers) !== json(inPython.twin.answers);
      table.add(
        callback,
        asMeant ? "intended" : "different",
        `${asMeant ? "intended" : "different"}: ${title}`,
      );
      expect(refusal.bridge).toEqual(refusal.twin);
      expect(inPython.bridge).toEqual(inPython.twin);
      expect(refusal.bridge.answers).not.toEqual(inPython.twin.answers);
    });
  },
);

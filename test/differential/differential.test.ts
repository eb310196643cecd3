/** Holds modules in TypeScript against the same modules in Python, on real servers, callback by callback. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { runRow } from "./row.js";
import { compared, type Row, rows } from "./rows.js";
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
const titled = rows.map((row) => [titleOf(row), row] as const).filter(([title]) => chosen.test(title));

describe("a module in TypeScript does what the same module does in Python", () => {
  test.each(titled.filter(([, { intended }]) => !intended))("%s", async (title, row) => {
    const scripts = { bridge: row.script, twin: row.script };
    const { bridge, twin } = await runRow(sides, { trigger: row.trigger, scripts });
    const equal = JSON.stringify(bridge) === JSON.stringify(twin);
    table.add(row.callback, equal ? "equal" : "different", equal ? undefined : `different: ${title}`);
    expect(bridge).toEqual(twin);
    const asked = bridge.calls[row.callback] ?? [];
    expect(asked).not.toHaveLength(0);
  });
});

describe("the one intended difference: where Synapse takes an error for a yes, the bridge refuses", () => {
  test.each(titled.filter(([, { intended }]) => intended))("%s", async (title, row) => {
    const { trigger, callback, intended } = row;
    if (!intended) return;
    const { bridge, twin } = await runRow(sides, {
      trigger,
      scripts: { bridge: row.script, twin: intended.script },
    });
    const { twin: inPython } = await runRow(sides, {
      trigger,
      scripts: { bridge: intended.script, twin: row.script },
    });
    const refusal = JSON.stringify([bridge.answers, bridge.effect]);
    const asMeant =
      refusal === JSON.stringify([twin.answers, twin.effect]) &&
      refusal !== JSON.stringify([inPython.answers, inPython.effect]);
    table.add(
      callback,
      asMeant ? "intended" : "different",
      `${asMeant ? "intended" : "different"}: ${title}`,
    );
    expect(bridge).toEqual(twin);
    expect(bridge.answers).not.toEqual(inPython.answers);
  });
});

// Holds modules that log people in, control background updates and add unsigned fields against the same in Python.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { bridge } from "../../support/bridge.js";
import { projectRoot } from "../../support/paths.js";
import { optional } from "../../support/subject.js";
import { special } from "./catalogue.js";
import { choose, titleOf } from "./chosen.js";
import { runRow } from "./row.js";
import { type Files, type Side, type Sides, startSides } from "./sides.js";
import { type SpecialRow, scriptOf, specialRows, unasked } from "./special-rows.js";
import { Table } from "./table.js";

const here = join(projectRoot, "test/synapse/differential");
const names = ["first", "second", "third"];
let running: Sides;
let sides: Sides["sides"];
let fresh: Record<"bridge" | "twin", string[]>;
const [asking, silent] = [choose(specialRows), choose(unasked)];
const table = new Table(asking.absent + silent.absent);

/** Which updates the modules were asked about, for what; how often is a matter of time. */
function updatesOf(side: Side): string[] {
  const asked = side.seen().map(({ callback, params }) => `${callback} ${JSON.stringify(params)}`);
  return [...new Set(asked)].filter((text) => /^(on_update|default_batch_size) /.test(text)).sort();
}

beforeAll(async () => {
  const modules = {
    bridge(files: Files) {
      const modules = names.map((name) => ({
        path: join(here, `special-${name}.ts`),
        name,
        config: { name, ...files },
      }));
      return [bridge({ modules, timeout: "20s", callbacks: optional })];
    },
    twin: (files: Files) =>
      names.map((name) => ({ module: "special_twin.SpecialTwin", config: { name, ...files } })),
  };
  running = await startSides(modules, { newDatabase: true });
  sides = running.sides;
  fresh = { bridge: updatesOf(sides.bridge), twin: updatesOf(sides.twin) };
}, 120_000);

afterAll(async () => {
  table.show("special");
  await running?.stop();
}, 30_000);

const titled = (rows: readonly SpecialRow[]) => rows.map((row) => [titleOf(row), row] as const);
const describeIfAny = (those: readonly unknown[]) => (those.length > 0 ? describe : describe.skip);

const run = ({ callback, trigger, actions, intended }: SpecialRow) =>
  runRow(sides, {
    callback,
    trigger,
    scripts: {
      bridge: scriptOf(callback, actions),
      twin: scriptOf(callback, intended?.actions ?? actions),
    },
  });

describeIfAny(asking.present)("a module in TypeScript does what the same module does in Python", () => {
  test.each(titled(asking.present))(
    "%s",
    async (title, row) => {
      const { bridge, twin } = await run(row);
      const equal = JSON.stringify(bridge) === JSON.stringify(twin);
      const kind = equal ? (row.intended ? "intended" : "equal") : "different";
      const why = row.intended && equal ? `intended (${row.intended.why}): ${title}` : undefined;
      table.add(row.callback, kind, equal ? why : `different: ${title}`);
      expect(bridge).toEqual(twin);
      const asked = Object.keys(bridge.calls).some((key) => key.split(" ")[0] === row.callback);
      // A template asks nobody.
      if (row.answer !== "a template") expect(asked).toBe(true);
    },
    60_000,
  );
});

test("every callback of a shape of its own is compared", () => {
  // What a new database is asked is compared below.
  const callbacks = [...specialRows.map(({ callback }) => callback), "default_batch_size"];
  expect([...new Set(callbacks)].sort()).toEqual([...special].sort());
});

test("modules are asked about all background updates that a new database needs", () => {
  const different = JSON.stringify(fresh.bridge) !== JSON.stringify(fresh.twin);
  for (const callback of ["on_update", "default_batch_size"]) {
    expect(fresh.bridge.filter((text) => text.startsWith(callback)).length).toBeGreaterThan(10);
    table.add(callback, different ? "different" : "equal", different ? "a new database" : undefined);
  }
  expect(fresh.bridge).toEqual(fresh.twin);
});

describeIfAny(silent.present)("where no module is asked", () => {
  test.each(titled(silent.present))("%s", async (title, row) => {
    const { bridge, twin } = await run(row);
    const equal = JSON.stringify(bridge) === JSON.stringify(twin);
    table.add(row.callback, equal ? "equal" : "different", equal ? undefined : `different: ${title}`);
    expect(bridge).toEqual(twin);
    expect(bridge.calls).toEqual({});
  });
});

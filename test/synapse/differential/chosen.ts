// Chooses the rows that run: those that DIFFERENTIAL_ROWS names and that the Synapse under test can have.
import { isLacking, lacking } from "../../support/subject.js";
import type { Trigger } from "./trigger.js";

interface Titled {
  readonly callback: string;
  readonly trigger: Trigger;
  readonly answer: string;
}

export interface Chosen<Row> {
  readonly present: readonly Row[];
  /** How many rows are about what this Synapse lacks. */
  readonly absent: number;
}

export const titleOf = ({ callback, trigger, answer }: Titled) =>
  `${callback}, asked about ${trigger.title}: ${answer}`;

export function choose<Row extends Titled>(rows: readonly Row[]): Chosen<Row> {
  const wanted = named(rows);
  const present = wanted.filter(
    ({ callback, trigger: { since } }) =>
      !lacking.includes(callback) && !(since !== undefined && isLacking(since)),
  );
  return { present, absent: wanted.length - present.length };
}

function named<Row extends Titled>(rows: readonly Row[]): readonly Row[] {
  const { DIFFERENTIAL_ROWS: which = "" } = process.env;
  if (which === "few") return few(rows);
  const chosen = new RegExp(which);
  return rows.filter((row) => chosen.test(titleOf(row)));
}

/** Of each callback and trigger the first row, in which all pass, the one in the middle, and the last. */
function few<Row extends Titled>(rows: readonly Row[]): readonly Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.callback} ${row.trigger.title}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const chosen = [...groups.values()].flatMap((group) => [group[0], group[group.length >> 1], group.at(-1)]);
  return rows.filter((row) => chosen.includes(row));
}

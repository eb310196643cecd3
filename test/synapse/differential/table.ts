// Counts the outcomes per callback, and prints them as a table, or writes their sums to a file.
import { appendFileSync } from "node:fs";

export type Verdict = "equal" | "intended" | "different";

export class Table {
  readonly #counts = new Map<string, Record<Verdict, number>>();
  readonly #notes: string[] = [];

  /** `absent`: how many rows are about what the Synapse under test lacks. */
  constructor(private readonly absent: number) {}

  add(callback: string, verdict: Verdict, note?: string): void {
    const counts = this.#counts.get(callback) ?? { equal: 0, intended: 0, different: 0 };
    counts[verdict] += 1;
    this.#counts.set(callback, counts);
    if (note) this.#notes.push(note);
  }

  #total(): Record<Verdict, number> {
    const total = { equal: 0, intended: 0, different: 0 };
    for (const counts of this.#counts.values())
      for (const verdict of ["equal", "intended", "different"] as const) total[verdict] += counts[verdict];
    return total;
  }

  toString(): string {
    const head = "| callback | answers compared | equal | intended differences | other differences |";
    const rule = "| --- | ---: | ---: | ---: | ---: |";
    const lines = [...this.#counts].map(([callback, counts]) => line(callback, counts));
    const notes = this.#notes.map((note) => `- ${note}`);
    const absent = this.absent > 0 ? [`- ${this.absent} absent from this Synapse`] : [];
    return [head, rule, ...lines, line("all", this.#total()), "", ...absent, ...notes].join("\n");
  }

  /** Prints it; for `npm run test:matrix`, also writes the sums to the file that ROWS_FILE names, as those of this table. */
  show(name: string): void {
    process.stdout.write(`\n${this}\n`);
    const file = process.env.ROWS_FILE;
    const { equal, intended } = this.#total();
    if (file) appendFileSync(file, `${JSON.stringify({ name, equal, intended, absent: this.absent })}\n`);
  }
}

function line(callback: string, { equal, intended, different }: Record<Verdict, number>): string {
  const compared = equal + intended + different;
  return `| ${callback} | ${compared} | ${equal} | ${intended} | ${different} |`;
}

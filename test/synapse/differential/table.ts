// Counts the outcomes per callback, and prints them as a table.
import { appendFileSync } from "node:fs";

export type Verdict = "equal" | "intended" | "different";

export class Table {
  readonly #counts = new Map<string, Record<Verdict, number>>();
  readonly #notes: string[] = [];

  add(callback: string, verdict: Verdict, note?: string): void {
    const counts = this.#counts.get(callback) ?? { equal: 0, intended: 0, different: 0 };
    counts[verdict] += 1;
    this.#counts.set(callback, counts);
    if (note) this.#notes.push(note);
  }

  toString(): string {
    const total = { equal: 0, intended: 0, different: 0 };
    const lines = [...this.#counts].map(([callback, counts]) => {
      for (const verdict of ["equal", "intended", "different"] as const) total[verdict] += counts[verdict];
      return line(callback, counts);
    });
    const head = "| callback | answers compared | equal | intended differences | other differences |";
    const rule = "| --- | ---: | ---: | ---: | ---: |";
    const notes = this.#notes.map((note) => `- ${note}`);
    return [head, rule, ...lines, line("all", total), "", ...notes].join("\n");
  }

  /** Prints it, and also writes it to the file that DIFFERENTIAL_TABLE names. */
  show(): void {
    process.stdout.write(`\n${this}\n`);
    const file = process.env.DIFFERENTIAL_TABLE;
    if (file) appendFileSync(file, `${this}\n`);
  }
}

function line(callback: string, { equal, intended, different }: Record<Verdict, number>): string {
  const compared = equal + intended + different;
  return `| ${callback} | ${compared} | ${equal} | ${intended} | ${different} |`;
}

/** What must not have happened, by its kind, with the first few examples of each. */

const MOST_EXAMPLES = 10;

export class Problems {
  readonly counts = new Map<string, number>();
  readonly examples: string[] = [];

  add(kind: string, example: string): void {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count > MOST_EXAMPLES) return;
    const line = `${new Date().toISOString()} ${kind}: ${example}`;
    this.examples.push(line);
    console.log(`  PROBLEM ${line}`);
  }

  count(kind: string): number {
    return this.counts.get(kind) ?? 0;
  }
}

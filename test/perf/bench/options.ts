// Reads the options of the benchmarks' commands.
import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly rounds: number;
  readonly save: boolean;
}

/** `--rounds N` and `--save`. Ends the process where they are none. */
export function readOptions(command: string, rounds: number): BenchOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: String(rounds) },
      save: { type: "boolean", default: false },
    },
  });
  const wanted = Number(values.rounds);
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    console.error(`Use: npm run ${command} -- --rounds N [--save]`);
    process.exit(2);
  }
  return { rounds: wanted, save: values.save };
}

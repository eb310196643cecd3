// `npm run drift -- --synapse VERSION`: compares the catalogue with an installed Synapse, by default that of .venv, and prints
// what is new, gone and changed, with the entries to add. Exit code 0: nothing to do; 1: something; 2: it could not look.
import { parseArgs } from "node:util";
import { drift } from "./drift/drift.js";
import { readSources } from "./generate/sources.js";

try {
  const { values } = parseArgs({ options: { synapse: { type: "string" } } });
  const print = (text: string) => process.stdout.write(text);
  process.exitCode = await drift({ declared: readSources(), synapse: values.synapse, print });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

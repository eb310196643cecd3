// Renders docs/reference/faults.md: what can go wrong, what Synapse's clients see, and how it ends. Pure text, no files.

import type { Fault } from "./sources.js";

const INTRODUCTION = `# Faults

<!-- Generated from test/support/faults.json by \`npm run generate\`: do not edit. -->

What can go wrong with modules, with Node and around them; what clients and other servers see; and how it ends. A running
Synapse never needs a restart for it. "Policy" is what \`on_failure\` says, or else the [default of the
callback](callbacks.md). [Failures](../admin/failures.md) explains the words, and what each policy costs. Tests try these
faults; \`npm run faults\` prints what they saw, by the same numbers.
`;

export function renderFaults(rows: Readonly<Record<string, Fault>>): string {
  const lines = Object.entries(rows).map(
    ([row, { fault, seen, after }]) => `| ${row} | ${fault} | ${seen} | ${after} |`,
  );
  const head = ["| row | fault | what is seen | how it ends |", "| ---: | --- | --- | --- |"];
  return `${[INTRODUCTION, ...head, ...lines].join("\n")}\n`;
}

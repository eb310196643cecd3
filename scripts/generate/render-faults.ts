// Renders docs/reference/faults.md: what may go wrong, what Synapse's clients see of it, and how it ends. Pure text, no files.

import type { Fault } from "./sources.js";

const INTRODUCTION = `# Faults

<!-- Generated from test/support/faults.json by \`npm run generate\`: do not edit. -->

What may go wrong with modules, with Node and around them; what clients and other servers see of it; and how it ends, always
without a restart of a Synapse that runs. "Policy" is what \`on_failure\` says, or the default of the callback in
[callbacks.md](callbacks.md); [the page on failures](../admin/failures.md#policies) tells what each policy costs. The tests try
these faults by the same numbers: \`npm run faults\` prints what came of each.
`;

export function renderFaults(rows: Readonly<Record<string, Fault>>): string {
  const lines = Object.entries(rows).map(
    ([row, { fault, seen, after }]) => `| ${row} | ${fault} | ${seen} | ${after} |`,
  );
  const head = ["| | Fault | What is seen | How it ends |", "| ---: | --- | --- | --- |"];
  return `${[INTRODUCTION, ...head, ...lines].join("\n")}\n`;
}

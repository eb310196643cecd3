// Renders docs/reference/types.md, the reference page of the types that callbacks and the ModuleApi take and give. Pure text,
// no files.
import { GENERATED } from "./render-types.js";
import { declarationsIn } from "./type-declarations.js";

const INTRODUCTION = `# Types

<!-- ${GENERATED} -->

The types of parameters and answers, in alphabetical order. \`synapse-module-bridge\` exports all of them:
\`import type { Event } from "synapse-module-bridge"\`.
`;

/** \`texts\` are those of the SDK's files, generated and written by hand. */
export function renderTypeDocs(texts: readonly string[]): string {
  const sections = [...declarationsIn(texts)].map(
    ([name, text]) => `## \`${name}\`\n\n\`\`\`ts\n${text.trim()}\n\`\`\`\n`,
  );
  return [INTRODUCTION, ...sections].join("\n");
}

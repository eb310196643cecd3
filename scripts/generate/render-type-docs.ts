// Renders docs/reference/types.md, the reference page of the types that callbacks and the ModuleApi take and give. Pure text,
// no files.

import { declarationsIn, splitExample } from "./type-declarations.js";
import { GENERATED } from "./type-text.js";

const INTRODUCTION = `# Types

<!-- ${GENERATED} -->

The types of parameters and answers, in alphabetical order. \`synapse-module-bridge\` exports all of them:
\`import type { Event } from "synapse-module-bridge"\`.
`;

/** \`texts\` are those of the SDK's files, generated and written by hand. */
export function renderTypeDocs(texts: readonly string[]): string {
  const sections = [...declarationsIn(texts)].map(
    ([name, text]) => `## \`${name}\`\n\n${renderDeclaration(text)}`,
  );
  return [INTRODUCTION, ...sections].join("\n");
}

function renderDeclaration(declaration: string): string {
  const { text, example } = splitExample(declaration);
  return [text.trim(), ...(example === undefined ? [] : [example])]
    .map((code) => `\`\`\`ts\n${code}\n\`\`\`\n`)
    .join("\n");
}

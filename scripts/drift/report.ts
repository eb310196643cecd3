// Writes a comparison as text for people.
import type { Difference } from "./compare.js";
import { isClean, type Judged } from "./intended.js";

const TITLES: readonly (readonly [Difference["kind"], string])[] = [
  ["new", "New: Synapse has it, and the catalogue has not"],
  ["gone", "Gone: the catalogue has it, and Synapse has not"],
  ["changed", "Changed: both have it, and it differs"],
  ["undated", "Undated: the catalogue does not say since when it exists, and this older Synapse has it not"],
];

export function report(judged: Judged): string {
  const { version, differences, intended, outlived } = judged;
  const sections = TITLES.map(([kind, title]) => {
    const found = differences.filter((one) => one.kind === kind);
    return found.length > 0 ? `${title} (${found.length})\n\n${found.map(describe).join("\n")}` : "";
  });
  const old = outlived.map((what) => `  ${what}\n`).join("");
  return [
    ...sections,
    old &&
      `Not different any more: take it out of scripts/drift/intended.json (${outlived.length})\n\n${old}`,
    `Synapse ${version}: ${isClean(judged) ? "nothing to do" : `${differences.length + outlived.length} to do`}; ${intended} differences are intended (scripts/drift/intended.json).\n`,
  ]
    .filter((text) => text !== "")
    .join("\n");
}

function describe({ what, at, addition }: Difference): string {
  const head = `  ${what}${at === undefined ? "" : ` (${at})`}\n`;
  if (addition === undefined) return head;
  const text = addition.text.replaceAll(/^/gm, "    ");
  const decide = addition.decide.map((one) => `    decide: ${one}\n`).join("");
  return `${head}\n    schemas/${addition.into}:\n\n${text}\n${decide && `\n${decide}`}`;
}

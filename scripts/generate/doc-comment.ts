// Formats TSDoc comments, which editors show as hover texts. Pure text, no files.

const WIDTH = 110;

/** Where the statements of an example belong: test/docs/snippets.test.ts puts them there, and compiles them. */
type Place = "callbacks" | "handler" | "value";

export interface Example {
  readonly place: Place;
  readonly code: string;
}

/** A comment with these paragraphs, and with an example. A paragraph may be a list. Empty paragraphs are left out. */
export function docComment(paragraphs: readonly (string | undefined)[], example?: Example): string {
  const texts = paragraphs.filter((text) => text !== undefined && text !== "") as string[];
  const [only = ""] = texts;
  if (texts.length === 1 && !example && only.length + "/**  */".length <= WIDTH) return `/** ${only} */\n`;
  const lines = texts.flatMap((text, index) => [
    ...(index === 0 ? [] : [""]),
    ...text.split("\n").flatMap(wrap),
  ]);
  if (example)
    lines.push("@example", `\`\`\`ts fragment ${example.place}`, ...example.code.split("\n"), "```");
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\n`;
}

/** Breaks a line between words. The further lines of an item of a list are indented. */
function wrap(line: string): string[] {
  const indent = line.startsWith("- ") ? "  " : "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current !== "" && current.length + word.length + " *  ".length > WIDTH) {
      lines.push(current);
      current = `${indent}${word}`;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

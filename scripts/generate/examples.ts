// Cuts the example of one callback out of examples/callbacks/. Pure text, no files.
import type { DeclaredCallback, Sources } from "./sources.js";

// Four spaces stand before each key of `callbacks`.
const KEY = /^ {4}(?:async )?(\w+)(?=[:(])/;

/** The key of `callbacks` that has this callback, with all that belongs to it. */
export function exampleOf(
  { name, category }: Pick<DeclaredCallback, "name" | "category">,
  { examples }: Sources,
): string {
  const found = examples.flatMap((text) => entriesIn(text).get(name) ?? []);
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(
      `examples/callbacks/${category}.ts needs an example of ${name}: one, in a key of \`callbacks\``,
    );
  return first;
}

function entriesIn(text: string): ReadonlyMap<string, string> {
  const [, callbacks = ""] = /^ {2}callbacks: \{\n([\s\S]*?)^ {2}\},$/m.exec(text) ?? [];
  const entries = new Map<string, string>();
  let name = "";
  for (const line of callbacks.split("\n")) {
    name = KEY.exec(line)?.[1] ?? name;
    entries.set(name, `${entries.get(name) ?? ""}${line.replace(/^ {4}/, "")}\n`);
  }
  return new Map([...entries].map(([key, entry]) => [key, entry.trim().replace(/,$/, "")]));
}

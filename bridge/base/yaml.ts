// Reads YAML of an admin's. What is wrong with it is told by its place: the text itself may hold secrets.
import { parseDocument, type YAMLError } from "yaml";

/** The value. Throws an Error that says where it is no YAML, and shows nothing of it. */
export function parseYaml(text: string): unknown {
  // The version that Synapse's parser follows: there, `yes` and `on` are true.
  const document = parseDocument(text, { version: "1.1", logLevel: "silent" });
  const [problem] = [...document.errors, ...document.warnings.filter(({ code }) => code !== "BAD_DIRECTIVE")];
  if (problem) throw new Error(describe(problem));
  try {
    return document.toJS();
  } catch {
    // An alias that nothing is called by, or that makes too much of it.
    throw new Error("is no YAML: an alias is without its anchor, or there are too many");
  }
}

function describe({ code, linePos }: YAMLError): string {
  const [place] = linePos ?? [];
  const at = place ? `line ${place.line}, column ${place.col}: ` : "";
  return `is no YAML: ${at}${code.toLowerCase().replaceAll("_", " ")}`;
}

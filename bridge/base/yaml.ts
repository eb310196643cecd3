// Reads an admin's YAML. Messages name the place of a problem but quote nothing, since the text may hold secrets.
import { parseDocument, type YAMLError } from "yaml";

/** Returns the value. Throws an Error that says where the text is not YAML. */
export function parseYaml(text: string): unknown {
  // Synapse's parser follows YAML 1.1, where `yes` and `on` are true.
  const document = parseDocument(text, { version: "1.1", logLevel: "silent" });
  const [problem] = [...document.errors, ...document.warnings.filter(({ code }) => code !== "BAD_DIRECTIVE")];
  if (problem) throw new Error(describe(problem));
  try {
    return document.toJS();
  } catch {
    // An alias has no anchor, or the aliases would expand to too much.
    throw new Error("is no YAML: an alias is without its anchor, or there are too many");
  }
}

function describe({ code, linePos }: YAMLError): string {
  const [place] = linePos ?? [];
  const at = place ? `line ${place.line}, column ${place.col}: ` : "";
  return `is no YAML: ${at}${code.toLowerCase().replaceAll("_", " ")}`;
}

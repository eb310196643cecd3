// Checks a handler's answer, and converts it to the form that the shim expects for its type.
import type { ErrorObject } from "ajv";
import { whatJsonLoses } from "../base/json-check.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import { safeFields } from "../transport/call-error.js";

/** Why an answer does not fit. The message continues "<module>: <callback> ". */
export class UnfitAnswer extends Error {}

/**
 * Returns the normalised answer. Throws UnfitAnswer. `warn` gets a message about fields that are left out. `isRareAsked`
 * tells whether the question has a rare number (see exact-json.ts): then a replacement of the event may have one too.
 */
export function readAnswer(
  callback: Callback,
  answer: unknown,
  catalogue: Catalogue,
  warn: (message: string) => void,
  isRareAsked: () => boolean,
): unknown {
  if (callback.result === "Nothing" || callback.result === "Edits") return null;
  const problem = whatJsonLoses(
    answer,
    callback.result === "EventAllowedVerdict" ? isRareAsked : () => false,
  );
  const validate = catalogue.validator(callback.result);
  if (problem && typeof answer === "object")
    throw new UnfitAnswer(`answered something that is not JSON: ${problem}`);
  if (problem || !validate(answer)) {
    const shown = callback.secret ? "something else" : render(answer);
    throw new UnfitAnswer(
      `answered ${shown}; expected ${expected(callback.result, catalogue)}${problem ? "" : hint(validate.errors)}`,
    );
  }
  if (callback.result === "EventAllowedVerdict") return normaliseEventAllowed(answer);
  if (Array.isArray(answer) && catalogue.type(callback.result).tsType?.includes("CodeAndFields")) {
    const { fields, dropped } = safeFields(answer[1]);
    if (dropped.length > 0)
      warn(`${callback.name}: the fields beside a code may not hold ${dropped.join(" and ")}: left out`);
    return [answer[0], fields];
  }
  return answer;
}

/** Converts Synapse's pair [allowed, replacement] to its single form: a boolean or the replacement. */
function normaliseEventAllowed(answer: unknown): unknown {
  if (!Array.isArray(answer)) return answer;
  const [allowed, replacement] = answer;
  return allowed ? (replacement ?? true) : false;
}

/** The expected type, as the SDK's types show it to authors. */
function expected(result: string, catalogue: Catalogue): string {
  const { tsType, type = result } = catalogue.type(result);
  if (!tsType) return [type].flat().join(" or ");
  // Splits alternatives, but not those inside a pair.
  const parts = tsType.split(/ \| (?![^[]*\])/).map((part) => readable(part, catalogue));
  const last = parts.pop() ?? "";
  return parts.length > 0 ? `${parts.join(", ")} or ${last}` : last;
}

function readable(part: string, catalogue: Catalogue): string {
  const own = part === "CodeAndFields" ? (catalogue.type(part).tsType ?? part) : part;
  return own
    .replace(/^(typeof|readonly) /, "")
    .replace(/\bJsonInputObject\b/, "an object of JSON")
    .replace(/^JsonInput$/, "JSON");
}

/** Describes an answer briefly, and without the contents of objects, since the text ends up in logs. */
function render(answer: unknown, inside = false): string {
  // A word helps to find a misspelt code. Any other text may be a user's message.
  if (typeof answer === "string")
    return /^[\w.]{0,60}$/.test(answer) ? JSON.stringify(answer) : `a text of ${answer.length} characters`;
  if (typeof answer === "bigint") return `${answer}n`;
  if (typeof answer === "function") return "a function";
  if (typeof answer !== "object" || answer === null) return String(answer);
  if (Array.isArray(answer)) {
    if (inside || answer.length > 4) return `a list of ${answer.length}`;
    return `[${answer.map((one) => render(one, true)).join(", ")}]`;
  }
  const keys = Object.keys(answer);
  return keys.length > 0
    ? `an object with ${keys
        .slice(0, 8)
        .map((key) => key.slice(0, 40))
        .join(", ")}`
    : "an empty object";
}

/** Says which part of an object or list does not fit. */
function hint(errors: ErrorObject[] | null | undefined): string {
  const deep = errors?.find((error) => error.instancePath !== "");
  if (!deep) return "";
  if (deep.schemaPath === "codes.json/enum")
    return " (an unknown code: throw a SynapseError to use a code of your own)";
  return ` (${deep.instancePath.slice(1).replaceAll("/", ".")} ${deep.message})`;
}

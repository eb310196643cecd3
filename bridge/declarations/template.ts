// Checks a template of fields for an event's `unsigned`. Only Python fills it in: it replaces `{ $event: "<path>" }` with the
// event's value at that path, and leaves the field out if there is none.
import { isObject } from "../base/is-object.js";
import { whatJsonLoses } from "../base/json-check.js";

const REFERENCE = "$event";

export function readTemplate(
  value: unknown,
  at: string,
  report: (message: string) => void,
): Record<string, unknown> | undefined {
  const problem = isObject(value) ? whatJsonLoses(value) : "it is no object";
  if (problem || !isObject(value)) {
    report(`${at} must be an object of JSON: ${problem}`);
    return undefined;
  }
  if (REFERENCE in value) {
    report(`${at}: ${REFERENCE} stands for a value, and not for all fields: name the field`);
    return undefined;
  }
  const problems = [...references(value, at)];
  for (const text of problems) report(text);
  return problems.length === 0 ? structuredClone(value) : undefined;
}

/** Yields a message for each wrong reference in a template. */
function* references(value: unknown, at: string): Generator<string> {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* references(item, `${at}[${index}]`);
  if (!isObject(value)) return;
  if (REFERENCE in value) {
    const path = value[REFERENCE];
    if (Object.keys(value).length > 1)
      yield `${at} has other keys beside ${REFERENCE}, which would be replaced with it`;
    // A path with an empty part would never match.
    if (typeof path !== "string" || path.split(/(?<!\\)\./).includes(""))
      yield `${at}.${REFERENCE} must be a path into the event, such as "content.displayname"`;
    return;
  }
  for (const [key, item] of Object.entries(value)) yield* references(item, `${at}.${key}`);
}

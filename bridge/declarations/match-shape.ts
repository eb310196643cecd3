// Checks the shape of a `match`. Python decides whether a call fits it, so that a call that no module wants is never sent.

import { isObject } from "../base/is-object.js";
import { whatJsonLoses } from "../base/json-check.js";
import { didYouMean } from "../base/nearest.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Match } from "../catalogue/protocol.js";

type Report = (message: string) => void;

/** Returns the match, or undefined after reporting problems. `at` is the entry's place in the module, for messages. */
export function readMatch(
  value: unknown,
  callback: Callback,
  at: string,
  catalogue: Catalogue,
  report: Report,
): Match | undefined {
  let sound = true;
  const complain = (message: string) => {
    sound = false;
    report(`${at}.match${message}`);
  };
  if (!isObject(value) || whatJsonLoses(value) !== undefined) {
    complain(" must be a JSON object, or a function of config that returns one at once");
    return undefined;
  }
  const { not, local, ...conditions } = value;
  checkConditions(conditions, "", callback, catalogue, complain);
  if (not !== undefined && !isObject(not)) complain(".not must be an object");
  if (isObject(not)) {
    if ("not" in not || "local" in not) complain(".not may hold neither not nor local: it holds paths alone");
    checkConditions(not, ".not", callback, catalogue, complain);
  }
  if (local !== undefined && typeof local !== "boolean") complain(".local must be true or false");
  if (local !== undefined && callback.subject === undefined) {
    complain(`.local: ${callback.name} has no subject that could be local`);
  }
  return sound ? (structuredClone(value) as Match) : undefined;
}

function checkConditions(
  conditions: object,
  at: string,
  callback: Callback,
  catalogue: Catalogue,
  complain: Report,
): void {
  // With an Event, a path may start at any of its fields. (`event` may also be a FederationEventDeliveryEvent.)
  const isOfEvent = callback.params.event === "Event";
  const fields = isOfEvent ? Object.keys(catalogue.type("Event").properties ?? {}) : [];
  const known = [...Object.keys(callback.params), ...fields];
  for (const [path, wanted] of Object.entries(conditions)) {
    const globs = Array.isArray(wanted) && wanted.every((glob) => typeof glob === "string");
    if (typeof wanted !== "boolean" && !globs) {
      const hint = typeof wanted === "string" ? `: write [${JSON.stringify(wanted)}]` : "";
      complain(`${at}[${JSON.stringify(path)}] must be a boolean or a list of globs${hint}`);
    }
    const first = path.split(".", 1)[0] ?? "";
    if (known.includes(first)) continue;
    const place = `${at}[${JSON.stringify(path)}]`;
    if (isOfEvent)
      complain(
        `${place}: an event has no field ${first}${didYouMean(first, known)}; for another one write event.${path}`,
      );
    else
      complain(
        `${place}: ${callback.name} has no parameter ${first}; it has ${Object.keys(callback.params).join(", ")}`,
      );
  }
}

// Reads and checks the list of auth_checkers: for each, its login type, the fields of the login that it needs, its handler.

import { isObject } from "../base/is-object.js";
import type { Callback } from "../catalogue/catalogue.js";
import { type DeclaredChecker, readParts } from "./entry.js";

const KEYS = ["login_type", "fields", "match", "ttl", "handler"];

/** Returns the sound checkers, and reports the problems of others. Undefined if `value` is not such a list. */
export function readCheckers(
  name: string,
  value: unknown,
  callback: Callback,
  report: (message: string) => void,
  mayBeEmpty = false,
): DeclaredChecker[] | undefined {
  if (!Array.isArray(value) || (value.length === 0 && !mayBeEmpty)) {
    report(
      `callbacks.${name} must be a list of entries: [{ login_type: "m.login.password", fields: ["password"], handler }]`,
    );
    return undefined;
  }
  const known = new Set<string>();
  return value.flatMap((item, index) => {
    const at = `callbacks.${name}[${index}]`;
    const checker = readChecker(item, at, callback, report);
    if (!checker) return [];
    const { login_type, fields } = checker;
    const key = JSON.stringify([login_type, fields]);
    // In Python these are keys of a dict, where the last one would silently win.
    if (known.has(key))
      report(`${at}: another entry has the login_type ${login_type} with the same fields already`);
    known.add(key);
    return [checker];
  });
}

function readChecker(
  value: unknown,
  at: string,
  callback: Callback,
  report: (message: string) => void,
): DeclaredChecker | undefined {
  if (!isObject(value)) {
    report(`${at} must be an object with login_type, fields and a handler`);
    return undefined;
  }
  const { login_type, fields } = value;
  const typed = typeof login_type === "string" && login_type !== "";
  if (!typed) report(`${at}.login_type must be a string, such as "m.login.password"`);
  const listed = Array.isArray(fields) && fields.every((field) => typeof field === "string");
  if (!listed) report(`${at}.fields must be a list of names of the login's fields, such as ["password"]`);
  const parts = readParts(at, value, callback, KEYS, report);
  return parts && typed && listed ? { ...parts, login_type, fields: [...fields] } : undefined;
}

// The error that a module throws to refuse a request with a status and body of its choice.
import { Codes } from "./codes.js";
import type { JsonObject } from "./json.js";

// A module may bring a copy of this package: the brand is the same in all of them, the class is not.
const BRAND = Symbol.for("synapse-module-bridge.SynapseError");

/** Reaches the client as Synapse's own SynapseError would: this status, and errcode, error and the fields. */
export class SynapseError extends Error {
  override readonly name = "SynapseError";

  constructor(
    readonly code: number,
    readonly msg: string,
    readonly errcode: Codes | (string & {}) = Codes.UNKNOWN,
    readonly additional_fields: JsonObject = {},
  ) {
    if (typeof code !== "number")
      throw new TypeError(`SynapseError: code must be a number, not ${kind(code)}`);
    if (!Number.isInteger(code) || code < 400 || code > 599) {
      throw new RangeError(`SynapseError: code must be an HTTP status from 400 to 599, not ${code}`);
    }
    if (typeof msg !== "string") throw new TypeError(`SynapseError: msg must be a string, not ${kind(msg)}`);
    if (typeof errcode !== "string") {
      throw new TypeError(`SynapseError: errcode must be one of Codes or a string, not ${kind(errcode)}`);
    }
    if (kind(additional_fields) !== "object") {
      throw new TypeError(
        `SynapseError: additional_fields must be an object, not ${kind(additional_fields)}`,
      );
    }
    super(`${code}: ${msg}`);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** True for a SynapseError of any copy of this package. */
export function isSynapseError(value: unknown): value is SynapseError {
  return typeof value === "object" && value !== null && BRAND in value;
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

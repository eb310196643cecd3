// The errors that modules throw and catch: one to refuse a request with a status and body of its choice, and those that
// calls of the api end with.
import { type ApiErrorKind, Codes } from "./codes.js";
import type { JsonObject } from "./json.js";

// A module may bring a copy of this package: the brand is the same in all of them, the class is not.
const BRAND = Symbol.for("synapse-module-bridge.SynapseError");
const HTTP_BRAND = Symbol.for("synapse-module-bridge.HttpResponseException");
const API_BRAND = Symbol.for("synapse-module-bridge.ApiError");

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

/** A server that was asked through `api.http_client` answered with a status that is not 2xx. */
export class HttpResponseException extends Error {
  override readonly name = "HttpResponseException";
  /** The body of the answer. */
  declare readonly response: Uint8Array;

  constructor(
    readonly code: number,
    readonly msg: string,
    response: Uint8Array,
  ) {
    super(`${code}: ${msg}`);
    // A log of the error shows no body: it may hold a secret.
    Object.defineProperty(this, "response", { value: response });
    Object.defineProperty(this, HTTP_BRAND, { value: true });
  }
}

/** True for an HttpResponseException of any copy of this package. */
export function isHttpResponseException(value: unknown): value is HttpResponseException {
  return typeof value === "object" && value !== null && HTTP_BRAND in value;
}

/** A call of the api failed otherwise: it was refused, or Synapse raised another exception. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** The method, such as `account_data_manager.put_global`; or `state_events`, `file_wrapper`. */
    readonly method: string,
    /** Why: for `api_error` see `exception`; the others are told in docs/reference/api.md. */
    readonly kind: ApiErrorKind,
    /** The name of the class of Synapse's exception, such as `RuleNotFoundException`. */
    readonly exception: string | null = null,
  ) {
    super(message);
    Object.defineProperty(this, API_BRAND, { value: true });
  }
}

/** True for an ApiError of any copy of this package. */
export function isApiError(value: unknown): value is ApiError {
  return typeof value === "object" && value !== null && API_BRAND in value;
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

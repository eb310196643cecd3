// The errors that modules throw and catch: SynapseError to refuse a request, and those that calls of the api end with.
import { isErrorStatus } from "../base/error-status.js";
import { type ApiErrorKind, Codes } from "./codes.js";
import type { JsonInputObject } from "./json.js";

// A module may bring its own copy of this package: the brand is the same in all copies, the class is not.
const BRAND = Symbol.for("synapse-module-bridge.SynapseError");
const HTTP_BRAND = Symbol.for("synapse-module-bridge.HttpResponseException");
const API_BRAND = Symbol.for("synapse-module-bridge.ApiError");

/**
 * Refuses a request: the client gets this status, and a body with `errcode`, `error` and the additional fields, as from
 * Synapse's own SynapseError. Calls of the api throw it, too, when Synapse refuses them.
 *
 * In Synapse: `synapse.module_api.errors.SynapseError`.
 * @example
 * ```ts fragment callbacks
 * user_may_create_room() {
 *   throw new SynapseError(429, "Too many rooms", Codes.LIMIT_EXCEEDED, { retry_after_ms: 60_000 });
 * },
 * ```
 */
export class SynapseError extends Error {
  override readonly name = "SynapseError";

  /** Throws a TypeError or a RangeError if an argument does not fit. */
  constructor(
    /** The HTTP status, from 400 to 599. */
    readonly code: number,
    /** The text for the user: `error` in the body. */
    readonly msg: string,
    /** The error code: `errcode` in the body. */
    readonly errcode: Codes | (string & {}) = Codes.UNKNOWN,
    /** More fields of the body. `msg` and `code` are left out, since Synapse cannot take them. */
    readonly additional_fields: JsonInputObject = {},
  ) {
    if (typeof code !== "number")
      throw new TypeError(`SynapseError: code must be a number, not ${kind(code)}`);
    if (!isErrorStatus(code)) {
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

/**
 * Whether a value is a SynapseError, of this copy of the package or of another one.
 * @example
 * ```ts fragment handler
 * try {
 *   await api.check_username({ username: "alice" });
 * } catch (error) {
 *   if (isSynapseError(error) && error.errcode === Codes.USER_IN_USE) return "taken";
 *   throw error;
 * }
 * ```
 */
export function isSynapseError(value: unknown): value is SynapseError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/**
 * Another server, which was asked through `api.http_client`, has answered with a status that is not 2xx.
 *
 * In Synapse: `synapse.api.errors.HttpResponseException`.
 * @example
 * ```ts fragment handler
 * try {
 *   await api.http_client.get_json({ uri: "https://lists.example.org/blocked.json" });
 * } catch (error) {
 *   if (!isHttpResponseException(error)) throw error;
 *   log.warn({ status: error.code, body: Buffer.from(error.response).toString() }, "there is no list");
 * }
 * ```
 */
export class HttpResponseException extends Error {
  override readonly name = "HttpResponseException";
  /** The body of the answer, in bytes. */
  declare readonly response: Uint8Array;

  constructor(
    /** The HTTP status. */
    readonly code: number,
    /** The reason phrase, such as `Not Found`. */
    readonly msg: string,
    response: Uint8Array,
  ) {
    super(`${code}: ${msg}`);
    // Not enumerable, so that a log of the error does not show the body, which may hold a secret.
    Object.defineProperty(this, "response", { value: response });
    Object.defineProperty(this, HTTP_BRAND, { value: true });
  }
}

/**
 * Whether a value is an HttpResponseException, of this copy of the package or of another one.
 * @example
 * ```ts fragment handler
 * const answer = await api.http_client.get_json({ uri: "https://example.org/users/1" }).catch((error) => {
 *   if (isHttpResponseException(error) && error.code === 404) return null;
 *   throw error;
 * });
 * ```
 */
export function isHttpResponseException(value: unknown): value is HttpResponseException {
  return typeof value === "object" && value !== null && HTTP_BRAND in value;
}

/**
 * A call of the api has failed for another reason than the other errors have: the bridge has refused it, or Synapse has
 * raised an exception of another class. `kind` says which.
 * @example
 * ```ts fragment handler
 * try {
 *   await api.set_push_rule_action({ user_id, scope: "global", kind: "override", rule_id: "unknown", actions: [] });
 * } catch (error) {
 *   if (!isApiError(error) || error.exception !== "RuleNotFoundException") throw error;
 *   log.info("the user has no such rule");
 * }
 * ```
 */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** The method, such as `account_data_manager.put_global`; or `state_events` or `file_wrapper`. */
    readonly method: string,
    /** Why the call failed. */
    readonly kind: ApiErrorKind,
    /** The name of Synapse's exception class, such as `RuleNotFoundException`; null if Synapse has raised none. */
    readonly exception: string | null = null,
  ) {
    super(message);
    Object.defineProperty(this, API_BRAND, { value: true });
  }
}

/**
 * Whether a value is an ApiError, of this copy of the package or of another one.
 * @example
 * ```ts fragment handler
 * api.update_room_membership({ sender: user_id, target: user_id, room_id, new_membership: "leave" }).catch((error) => {
 *   log.warn({ kind: isApiError(error) ? error.kind : "other" }, "the user could not leave");
 * });
 * ```
 */
export function isApiError(value: unknown): value is ApiError {
  return typeof value === "object" && value !== null && API_BRAND in value;
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

// What a module catches when a call of the api fails.
import { bytesOf } from "./api-values.js";
import { databaseError } from "./database-error.js";
import { ApiError, type ApiErrorKind, HttpResponseException, SynapseError } from "./errors.js";

/** An error that the shim answered with, by its name in schemas/errors.json. */
export class WireError extends Error {
  constructor(
    readonly kind: string | undefined,
    message: string,
    readonly data: Record<string, unknown>,
  ) {
    super(message);
  }
}

const KINDS: ReadonlySet<string> = new Set([
  "not_granted",
  "membership_locked",
  "wrong_process",
  "call_over",
  "api_error",
]);

export function thrownFor(method: string, error: WireError): Error {
  const { code, msg, errcode, additional_fields, response } = error.data;
  if (error.kind === "synapse_error") {
    try {
      const fields = (additional_fields ?? {}) as never;
      return new SynapseError(code as number, msg as string, errcode as string, fields);
    } catch {
      // A status that is no error, as of a redirect: not one that a module could throw on.
      return new ApiError(`api.${method} failed: ${code} ${errcode}: ${msg}`, method, "api_error");
    }
  }
  if (error.kind === "database_error") return databaseError(method, error);
  if (error.kind === "http_response_exception")
    return new HttpResponseException(code as number, msg as string, bytesOf(response as string));
  const kind = KINDS.has(error.kind ?? "") ? (error.kind as ApiErrorKind) : "host_error";
  const exception = typeof error.data.class === "string" ? error.data.class : null;
  const message = kind === "not_granted" ? error.message : `api.${method} failed: ${error.message}`;
  return new ApiError(message, method, kind, exception);
}

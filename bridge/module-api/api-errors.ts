// Converts an error of the shim into what a module catches when a call of the api fails.

import { API_ERRORS, type ErrorName } from "../catalogue/protocol.js";
import type { ApiErrorKind } from "../sdk/codes.js";
import { DatabaseError } from "../sdk/database-error.js";
import { ApiError, HttpResponseException, SynapseError } from "../sdk/errors.js";
import { bytesOf } from "./api-values.js";

/** An error that the shim has answered with. `kind` is its name in the protocol; undefined for errors of JSON-RPC. */
export class WireError extends Error {
  constructor(
    readonly kind: ErrorName | undefined,
    message: string,
    readonly data: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** Makes the error for the module. `name` is the method as the module calls it. */
export function thrownFor(method: string, error: WireError, name = `api.${method}`): Error {
  const { code, msg, errcode, additional_fields, response } = error.data;
  if (error.kind === "synapse_error") {
    try {
      const fields = (additional_fields ?? {}) as never;
      return new SynapseError(code as number, msg as string, errcode as string, fields);
    } catch {
      // The status is not an error, such as a redirect. SynapseError refuses it.
      return new ApiError(`${name} failed: ${code} ${errcode}: ${msg}`, method, "api_error");
    }
  }
  if (error.kind === "database_error") return databaseError(method, error);
  if (error.kind === "http_response_exception")
    return new HttpResponseException(code as number, msg as string, bytesOf(response as string));
  const kind: ApiErrorKind = API_ERRORS.find((name) => name === error.kind) ?? "host_error";
  const exception = typeof error.data.class === "string" ? error.data.class : null;
  const message = kind === "not_granted" ? error.message : `${name} failed: ${error.message}`;
  return new ApiError(message, method, kind, exception);
}

function databaseError(path: string, error: WireError): DatabaseError {
  const { class: kind, sqlstate, statement } = error.data;
  return new DatabaseError(
    `api.${path} failed: ${error.message}`,
    typeof kind === "string" ? kind : "Error",
    typeof sqlstate === "string" ? sqlstate : null,
    typeof statement === "number" ? statement : null,
    { cause: error },
  );
}

// Converts between CallErrors and errors of JSON-RPC, which have a code.

import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { isObject } from "../base/is-object.js";
import { ERROR_CODES, type ErrorName } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { CallError, type CallErrorKind, moduleFault } from "../transport/call-error.js";
import { sayTooLarge, type TooLarge } from "../transport/framing.js";
import { UnfitParams } from "./params.js";

/** Converts what a request failed with to an error of JSON-RPC. An unexpected error is logged. */
export function toWire(error: unknown, log: Logger): ResponseError<object> {
  if (error instanceof ResponseError) return error;
  if (error instanceof CallError)
    return new ResponseError(ERROR_CODES[error.kind as CallErrorKind], error.message, error.data);
  if (error instanceof UnfitParams) return new ResponseError(ErrorCodes.InvalidParams, error.message);
  log.error({ err: error }, "the host failed");
  return new ResponseError(
    ErrorCodes.InternalError,
    `the host failed: ${error instanceof Error ? error.message : error}`,
  );
}

/** Converts an error of a thread back to the CallError that it was; returns any other error as it is. */
export function fromWire(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error;
  const kind = kindOf(error.code);
  return kind === undefined ? error : new CallError(kind as CallErrorKind, error.message, error.data ?? {});
}

/** An answer that is too large to be sent becomes a fault of the module, so that its edits are not lost silently. */
export function tooLargeAsFault(log: Logger): TooLarge {
  return (response, text) => {
    const said = response.error?.data ?? response.result;
    const module = isObject(said) ? said.module : undefined;
    if (typeof module !== "string") return sayTooLarge(response, text);
    const { message, data, kind } = moduleFault(module, "answer", `its answer cannot be sent: ${text}`);
    log.child({ module }).error(message);
    return { code: ERROR_CODES[kind], message, data };
  };
}

/** The protocol's name of an error code; undefined for JSON-RPC's own codes. */
export function kindOf(code: number): ErrorName | undefined {
  const names = Object.keys(ERROR_CODES) as ErrorName[];
  return names.find((name) => ERROR_CODES[name] === code);
}

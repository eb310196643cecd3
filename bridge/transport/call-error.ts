// CallError: how a call fails, as an error of the protocol with its name and data. wire-errors.ts adds the error code.

import { isErrorStatus } from "../base/error-status.js";
import { whatJsonLoses } from "../base/json-check.js";
import type { ErrorData, ErrorName, FaultKind, Reason, ShimRequests } from "../catalogue/protocol.js";
import type { SynapseError } from "../sdk/errors.js";

export type CallErrorKind = ErrorName & ShimRequests[`callback/${string}`]["errors"];

export class CallError<Kind extends CallErrorKind = CallErrorKind> extends Error {
  override readonly name = "CallError";

  constructor(
    readonly kind: Kind,
    message: string,
    readonly data: ErrorData[Kind],
  ) {
    super(message);
  }
}

export function moduleUnavailable(module: string, why: string, reason?: Reason): CallError {
  const data = { module, ...(reason && { reason }) };
  return new CallError("module_unavailable", `${module}: ${why}`, data);
}

/** The module's thread has ended while it was asked. `began`: its modules were set up, and the call had begun. */
export function moduleEnded(module: string | null, cause: string, began: boolean): CallError {
  const whose = module === null ? "the thread of the call" : `${module}: its thread`;
  return new CallError("module_ended", `${whose} has ended (${cause})`, { module, cause, began });
}

export function moduleFault(module: string, kind: FaultKind, message: string): CallError<"module_fault"> {
  return new CallError("module_fault", `${module}: ${message}`, { module, kind });
}

export function cancelled(): CallError {
  return new CallError("cancelled", "the call was cancelled", {});
}

// Synapse passes these fields on as keyword arguments, beside its own `msg` and `code`. A duplicate of those two would raise
// an exception, and the request would never be answered.
const CLASHING = new Set(["msg", "code"]);

type Fields = Readonly<Record<string, unknown>>;

/** Returns the fields of an error that Synapse can take, and the names of the others. */
export function safeFields(fields: Fields): { fields: Fields; dropped: string[] } {
  const dropped = Object.keys(fields).filter((key) => CLASHING.has(key));
  if (dropped.length === 0) return { fields, dropped };
  return {
    fields: Object.fromEntries(Object.entries(fields).filter(([key]) => !CLASHING.has(key))),
    dropped,
  };
}

/** Converts a SynapseError that `source` threw. It may come from another copy of the SDK, so its fields are checked again. */
export function fromSynapseError(
  module: string,
  source: string,
  error: SynapseError,
  warn: (message: string) => void,
): CallError {
  const { code, msg, errcode, additional_fields } = error;
  if (!isErrorStatus(code) || typeof msg !== "string" || typeof errcode !== "string") {
    return moduleFault(
      module,
      "threw",
      `${source} threw a SynapseError whose code, msg or errcode is not valid`,
    );
  }
  const given = additional_fields ?? {};
  const problem = whatJsonLoses(given);
  if (problem)
    return moduleFault(
      module,
      "threw",
      `${source} threw a SynapseError with additional_fields of which ${problem}`,
    );
  const { fields, dropped } = safeFields(given as Fields);
  if (dropped.length > 0)
    warn(`SynapseError: additional_fields may not hold ${dropped.join(" and ")}: left out`);
  return new CallError("synapse_error", `${module}: ${code} ${errcode}: ${msg}`, {
    module,
    code,
    msg,
    errcode,
    additional_fields: fields,
  });
}

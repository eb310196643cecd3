// How a call fails: an error of schemas/errors.json by its name, with the data that goes with it. Numbers are put on
// where it meets the wire.
import type { SynapseError } from "./errors.js";
import { whatJsonLoses } from "./json-check.js";

export type CallErrorKind = "synapse_error" | "module_fault" | "module_unavailable" | "cancelled";

export class CallError extends Error {
  override readonly name = "CallError";

  constructor(
    readonly kind: CallErrorKind,
    message: string,
    readonly data: Record<string, unknown>,
  ) {
    super(message);
  }
}

export function moduleUnavailable(module: string, why: string): CallError {
  return new CallError("module_unavailable", `${module}: ${why}`, { module });
}

export function moduleFault(module: string, kind: "threw" | "answer", message: string): CallError {
  return new CallError("module_fault", `${module}: ${message}`, { module, kind });
}

export function cancelled(): CallError {
  return new CallError("cancelled", "the call was cancelled", {});
}

// Synapse passes the fields on as keyword arguments after its own `msg` and `code`: with these two the request would
// never be answered.
const CLASHING = new Set(["msg", "code"]);

/** The fields of an error that are safe to hand to Synapse, and the names of those left out. */
export function safeFields(fields: object): { fields: object; dropped: string[] } {
  const dropped = Object.keys(fields).filter((key) => CLASHING.has(key));
  if (dropped.length === 0) return { fields, dropped };
  return {
    fields: Object.fromEntries(Object.entries(fields).filter(([key]) => !CLASHING.has(key))),
    dropped,
  };
}

/** What `source` threw, as it goes to the shim; it may come from another copy of the SDK, so it is checked again. */
export function fromSynapseError(
  module: string,
  source: string,
  error: SynapseError,
  warn: (message: string) => void,
): CallError {
  const { code, msg, errcode, additional_fields } = error;
  if (
    !Number.isInteger(code) ||
    code < 400 ||
    code > 599 ||
    typeof msg !== "string" ||
    typeof errcode !== "string"
  ) {
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
  const { fields, dropped } = safeFields(given);
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

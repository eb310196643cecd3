// Words for what was thrown where passwords and tokens are at hand: any text of it may hold one, so none of it is shown.

import type { ErrorData } from "../catalogue/protocol.js";
import { framesOf } from "../logging/culprit.js";
import { CallError } from "./call-error.js";

const REDACTED = "its text is not shown, since it may hold a password";

/** The class of what was thrown, and where: not its message, which is at the head of a stack. */
export function redactThrown(error: unknown): { message: string; stack: string } {
  const isError = error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
  const kind = isError ? Object.getPrototypeOf(error)?.constructor?.name : typeof error;
  const message = `${kind || "something"} (${REDACTED})`;
  const frames = isError ? framesOf(error as Error) : [];
  return { message, stack: [message, ...frames].join("\n") };
}

/** A SynapseError that no client gets to see, but the log does. */
export function redactSynapseError(data: ErrorData["synapse_error"]): CallError {
  const { module, code, errcode } = data;
  return new CallError("synapse_error", `${module}: ${code} ${errcode}`, {
    ...data,
    msg: REDACTED,
    additional_fields: {},
  });
}

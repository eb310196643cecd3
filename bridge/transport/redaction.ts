// Redacts what a module throws in callbacks that get passwords or tokens: any text of it may hold one.

import type { ErrorData } from "../catalogue/protocol.js";
import { framesOf } from "../logging/culprit.js";
import { CallError } from "./call-error.js";

const REDACTED = "its text is not shown, since it may hold a password";

/** Keeps the class of a thrown value and the frames of its stack, and leaves out its message. */
export function redactThrown(error: unknown): { message: string; stack: string } {
  const isError = error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
  const kind = isError ? Object.getPrototypeOf(error)?.constructor?.name : typeof error;
  const message = `${kind || "something"} (${REDACTED})`;
  const frames = isError ? framesOf(error as Error) : [];
  return { message, stack: [message, ...frames].join("\n") };
}

/** A SynapseError without its message and fields. It only reaches the log: no client sees it. */
export function redactSynapseError(data: ErrorData["synapse_error"]): CallError {
  const { module, code, errcode } = data;
  return new CallError("synapse_error", `${module}: ${code} ${errcode}`, {
    ...data,
    msg: REDACTED,
    additional_fields: {},
  });
}

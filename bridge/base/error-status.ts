// Tells the HTTP statuses that an error may have.

/** Whether this is a status that says that a request has failed: ErrorStatus in schemas/protocol.json. */
export function isErrorStatus(code: unknown): code is number {
  return Number.isInteger(code) && Number(code) >= 400 && Number(code) <= 599;
}

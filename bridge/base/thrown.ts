// Describes a thrown value in words. It need not be an Error, nor an Error of this realm.

// A message can quote text of a user, of any length.
const MOST = 2_000;

export function describeThrown(error: unknown): string {
  try {
    return describe(error).slice(0, MOST);
  } catch {
    return "something without a text";
  }
}

/** What was thrown, or an Error in its place if reading it throws, as a proxy may. */
export function readableThrown(error: unknown): unknown {
  try {
    if (error instanceof Error || (typeof error === "object" && error !== null && "message" in error))
      void `${(error as Error).message}`;
    return error;
  } catch {
    return new Error("something that cannot be read");
  }
}

function describe(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) {
    return `${"name" in error ? error.name : "Error"}: ${error.message}`;
  }
  return String(error);
}

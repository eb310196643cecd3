// Words for whatever was thrown: it need not be an Error, nor one of this realm.

// Its message may have any text of a user's.
const MOST = 2_000;

export function describeThrown(error: unknown): string {
  try {
    return describe(error).slice(0, MOST);
  } catch {
    return "something without a text";
  }
}

function describe(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) {
    return `${"name" in error ? error.name : "Error"}: ${error.message}`;
  }
  return String(error);
}

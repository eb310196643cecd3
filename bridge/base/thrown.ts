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

function describe(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) {
    return `${"name" in error ? error.name : "Error"}: ${error.message}`;
  }
  return String(error);
}

// Words for whatever was thrown: it need not be an Error, nor one of this realm.

export function describeThrown(error: unknown): string {
  try {
    return describe(error);
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

// The error that SQL of a module failed with.
// A module may bring a copy of this package: the brand is the same in all of them, the class is not.
const BRAND = Symbol.for("synapse-module-bridge.DatabaseError");

/** SQL failed, and its transaction was rolled back. Its text holds no parameters. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";

  constructor(
    message: string,
    /** The name of Python's exception, such as `IntegrityError` (SQLite) or `UniqueViolation` (PostgreSQL). */
    readonly kind: string,
    /** PostgreSQL's code, such as `23505`; null where there is none. */
    readonly sqlstate: string | null,
    /** The index of the statement that failed; null where it was none of a list. */
    readonly statement: number | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** True for a DatabaseError of any copy of this package. */
export function isDatabaseError(value: unknown): value is DatabaseError {
  return typeof value === "object" && value !== null && BRAND in value;
}

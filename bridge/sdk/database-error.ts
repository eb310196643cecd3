// The error that a failed SQL statement of a module ends with.

// A module may bring its own copy of this package: the brand is the same in all copies, the class is not.
const BRAND = Symbol.for("synapse-module-bridge.DatabaseError");

/**
 * A SQL statement has failed, and its transaction was rolled back. The message quotes no parameters.
 * @example
 * ```ts fragment handler
 * try {
 *   const sql = "INSERT INTO my_module_seen (user_id) VALUES (?)";
 *   await api.run_db_interaction({ desc: "my_module_seen", statements: [{ sql, params: [user_id] }] });
 * } catch (error) {
 *   if (!isDatabaseError(error) || !/IntegrityError|UniqueViolation/.test(error.kind)) throw error;
 *   log.debug("the user was seen before");
 * }
 * ```
 */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";

  constructor(
    message: string,
    /** The name of Python's exception class, such as `IntegrityError` (SQLite) or `UniqueViolation` (PostgreSQL). */
    readonly kind: string,
    /** PostgreSQL's error code, such as `23505`; null on SQLite. */
    readonly sqlstate: string | null,
    /** The index of the failed statement in the list; null if it was not in a list. */
    readonly statement: number | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is a DatabaseError, of this copy of the package or of another one.
 * @example
 * ```ts fragment handler
 * const statements = [{ sql: "SELECT 1 AS one" }];
 * await api.run_db_interaction({ desc: "ping", statements }).catch((error) => {
 *   log.error({ sqlstate: isDatabaseError(error) ? error.sqlstate : null }, "no database");
 * });
 * ```
 */
export function isDatabaseError(value: unknown): value is DatabaseError {
  return typeof value === "object" && value !== null && BRAND in value;
}

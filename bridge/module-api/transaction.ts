// Runs a function of a module inside a database transaction: begins, runs the function, and commits or rolls back. The shim
// also rolls back a transaction whose time is up.

import { AsyncLocalStorage } from "node:async_hooks";
import { LIMITS } from "../catalogue/protocol.js";
import { type DatabaseError, isDatabaseError } from "../sdk/database-error.js";
import type { DatabaseParam } from "../sdk/json.js";
import type { DatabaseResult, Transaction } from "../sdk/storage-types.js";
import type { DatabaseStatement } from "../sdk/wire-types.js";
import type { ApiClient } from "./api-client.js";
import { encodeParams, toResult } from "./database-values.js";

const LIMIT_MS = LIMITS.transaction_function_ms;
// As many as Synapse's own transactions have.
const ATTEMPTS = 5;
// PostgreSQL's serialization_failure and deadlock_detected: another transaction was in the way.
const RETRIED = new Set(["40001", "40P01"]);

export const TRANSACTION = "run_db_interaction";

const current = new AsyncLocalStorage<RunningTransaction>();

/** Throws inside a transaction: it holds a database connection of Synapse, which the other call may be waiting for. */
export function refuseInTransaction(path: string): void {
  if (!current.getStore()?.open) return;
  throw new Error(
    `api.${path} was called within the func of api.${TRANSACTION}: only its txn may be used there; call it before or after`,
  );
}

export async function runTransaction(
  client: ApiClient,
  desc: string,
  func: (txn: Transaction) => unknown,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const { transaction } = await client.step("begin", { desc });
    const running = new RunningTransaction(client, transaction);
    try {
      return await running.run(func);
    } catch (error) {
      const cause = running.failure ?? error;
      const again = isDatabaseError(cause) && RETRIED.has(cause.sqlstate ?? "");
      if (!again || attempt === ATTEMPTS) throw error;
    }
  }
}

class RunningTransaction implements Transaction {
  open = true;
  /** The error of the first statement that failed. */
  failure: DatabaseError | undefined;

  constructor(
    private readonly client: ApiClient,
    private readonly transaction: number,
  ) {}

  async run(func: (txn: Transaction) => unknown): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`api.${TRANSACTION} was rolled back: func took longer than ${LIMIT_MS} ms`)),
        LIMIT_MS,
      );
    });
    try {
      const txn = Object.freeze({ execute: this.execute.bind(this) });
      const value = await Promise.race([current.run(this, async () => func(txn)), late]);
      this.open = false;
      await this.client.step("commit", { transaction: this.transaction });
      return value;
    } catch (error) {
      this.open = false;
      // A failure is ignored: then the transaction is over already.
      await this.client.step("roll_back", { transaction: this.transaction }).catch(() => {});
      // A commit after a failed statement only fails because the transaction is over. The statement's error is the cause.
      throw isDatabaseError(error) ? (this.failure ?? error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  execute(
    sql: string,
    params: readonly DatabaseParam[] = [],
    options: { readonly fetch?: "all" | "one" | "none" } = {},
  ): Promise<DatabaseResult> {
    const result = this.#execute(sql, params, options);
    // The error of a statement that func does not await fails the commit, instead of ending Node as an unhandled rejection.
    result.catch((error) => {
      if (isDatabaseError(error)) this.failure ??= error;
    });
    return result;
  }

  async #execute(sql: string, params: readonly DatabaseParam[], options: object): Promise<DatabaseResult> {
    if (!this.open) throw new Error(`txn.execute was called after its transaction was over`);
    const encoded = Array.isArray(params) ? encodeParams(params) : params;
    const statement = { sql, params: encoded, ...options } as DatabaseStatement;
    this.client.check(TRANSACTION, { desc: "", statements: [statement] });
    return toResult(await this.client.step("execute", { transaction: this.transaction, statement }));
  }
}

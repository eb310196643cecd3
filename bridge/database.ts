// `api.run_db_interaction` as a module calls it: with statements, or with a function.
import { encodeParams, toResult, type WireResult } from "./database-values.js";
import type { DatabaseStatement } from "./generated.js";
import type { Transaction } from "./storage-types.js";
import { runTransaction } from "./transaction.js";

/** Asks the shim for a module: `call` checks grants and parameters first, `send` is for the steps of a method. */
export interface Asker {
  readonly module: string;
  /** Throws a TypeError that names the method. */
  check(path: string, params: Record<string, unknown>): void;
  call(path: string, params: Record<string, unknown>): Promise<unknown>;
  send(path: string, step: string, params: object): Promise<unknown>;
}

/** What a module calls in the place of a method that travels otherwise. */
export type Form = (asker: Asker, path: string, params: Record<string, unknown>) => Promise<unknown>;

export const interact: Form = async (asker, path, { desc, func, statements, ...rest }) => {
  if (func === undefined) {
    const encoded = Array.isArray(statements) ? statements.map(encodeStatement) : statements;
    const results = await asker.call(path, { desc, statements: encoded, ...rest });
    return (results as WireResult[]).map(toResult);
  }
  if (typeof func !== "function") throw new TypeError(`api.${path}: func must be a function`);
  if (typeof desc !== "string") throw new TypeError(`api.${path}: desc must be string`);
  if (statements !== undefined) throw new TypeError(`api.${path} takes either statements or func`);
  return runTransaction(asker, desc, func as (txn: Transaction) => unknown);
};

function encodeStatement(statement: DatabaseStatement): unknown {
  const { params, params_list } = statement ?? {};
  return {
    ...statement,
    ...(Array.isArray(params) && { params: encodeParams(params) }),
    ...(Array.isArray(params_list) && { params_list: params_list.map(encodeParams) }),
  };
}

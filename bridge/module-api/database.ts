// Implements `api.run_db_interaction` for modules: with a list of statements, or with a function.

import type { StatementResult } from "../catalogue/protocol.js";
import type { Transaction } from "../sdk/storage-types.js";
import type { DatabaseStatement } from "../sdk/wire-types.js";
import type { MethodAdapter } from "./api-client.js";
import { encodeParams, toResult } from "./database-values.js";
import { runTransaction } from "./transaction.js";

export const interact: MethodAdapter = async (client, path, { desc, func, statements, ...rest }) => {
  if (func === undefined) {
    const encoded = Array.isArray(statements) ? statements.map(encodeStatement) : statements;
    const results = await client.call(path, { desc, statements: encoded, ...rest });
    return (results as StatementResult[]).map(toResult);
  }
  if (typeof func !== "function") throw new TypeError(`api.${path}: func must be a function`);
  if (typeof desc !== "string") throw new TypeError(`api.${path}: desc must be string`);
  if (statements !== undefined) throw new TypeError(`api.${path} takes either statements or func`);
  return runTransaction(client, desc, func as (txn: Transaction) => unknown);
};

function encodeStatement(statement: DatabaseStatement): unknown {
  const { params, params_list } = statement ?? {};
  return {
    ...statement,
    ...(Array.isArray(params) && { params: encodeParams(params) }),
    ...(Array.isArray(params_list) && { params_list: params_list.map(encodeParams) }),
  };
}

// What the bridge adds to the ModuleApi: that each of these works. storage-cases.ts and broadcast.test.ts have the details.
import type { Rows } from "./api-row.js";

export const addedRows: Rows = {
  "store.set": [{ params: ({ tag }) => ({ key: `set${tag}`, value: { by: tag }, ttl: "1h" }), result: null }],
  "store.get": [{ params: ({ tag }) => ({ key: `none${tag}` }), result: null }],
  "store.list": [{ params: ({ tag }) => ({ prefix: `none${tag}` }), result: [] }],
  "store.delete": [{ params: ({ tag }) => ({ key: `none${tag}` }), result: false }],
  "store.compare_and_set": [{ params: ({ tag }) => ({ key: `compared${tag}`, value: 1 }), result: true }],
  "store.increment": [
    {
      params: ({ tag }) => ({ key: `counted${tag}` }),
      result: { done: true, value: 1, expires_in_ms: null },
    },
  ],
  "store.update": [{ params: ({ tag }) => ({ key: `updated${tag}`, update: "an increment" }), result: 1 }],
  run_db_interaction: [
    {
      params: { desc: "look", statements: [{ sql: "SELECT CAST(? AS INTEGER) AS one", params: [1] }] },
      result: [{ rows: [{ one: 1 }] }],
    },
  ],
  broadcast: [{ params: { topic: "told", value: 1 }, result: null }],
};

// Uses the database and the store as the body of a web request says, and answers with what came of it.
import { setTimeout as pause } from "node:timers/promises";
import { type Api, type DatabaseParam, defineModule, isDatabaseError } from "synapse-module-bridge";

// biome-ignore lint/suspicious/noExplicitAny: the method and its parameters are the test's
type Any = any;

const count = (value: number | undefined) => (value ?? 0) + 1;

/** Statements for one transaction, and what the function then does; PostgreSQL only. */
interface Script {
  readonly statements: readonly (readonly [sql: string, params?: readonly DatabaseParam[]])[];
  readonly end?: "throw" | "hang" | "block" | "kill" | "call" | "store" | "leave";
  /** Goes on although a statement has failed. */
  readonly ignore?: boolean;
  readonly pauseMs?: number;
}

async function transact(api: Api, { statements, end, ignore, pauseMs }: Script) {
  let runs = 0;
  const results = await api.run_db_interaction({
    desc: "transact",
    func: async (txn) => {
      runs++;
      const found = [];
      for (const [sql, params] of statements) {
        const run = txn.execute(sql, params);
        found.push(await (ignore ? run.catch(() => undefined) : run));
        if (pauseMs) await pause(pauseMs);
      }
      if (end === "throw") throw new Error("the module changed its mind");
      if (end === "hang") await new Promise(() => {});
      if (end === "block") for (const over = Date.now() + 700; Date.now() < over; );
      if (end === "kill") process.kill(process.pid, "SIGKILL");
      if (end === "call") await api.is_user_admin({ user_id: "@a:b" });
      if (end === "store") await api.store.get({ key: "x" });
      if (end === "leave") void txn.execute("SELECT no_such_column");
      return found;
    },
  });
  return { runs, results };
}

const ACTIONS: Record<string, (api: Api, params: Any) => Promise<unknown>> = {
  call: async (api, { method, params }) => {
    let [owner, target]: [unknown, Any] = [undefined, api];
    for (const key of method.split(".")) [owner, target] = [target, target[key]];
    return target.call(owner, params);
  },
  increment: (api, { key, times }) =>
    Promise.all(Array.from({ length: times }, () => api.store.update({ key, update: count }))),
  remove: (api, { key }) => api.store.update({ key, update: () => undefined }),
  badUpdate: (api, { key }) => api.store.update({ key, update: (async () => 1) as Any }),
  transact,
  transactions: (api, { scripts }) =>
    Promise.all(scripts.map((script: Script) => transact(api, script).catch((error) => String(error)))),
  kill: async () => process.kill(process.pid, "SIGKILL"),
};

const encode = (_: string, value: unknown) =>
  value instanceof Uint8Array ? { $bytes: [...value] } : value === undefined ? { $undefined: true } : value;
const decode = (_: string, value: Any) => (value?.$bytes ? new Uint8Array(value.$bytes) : value);

export default defineModule({
  configSchema: {
    type: "object",
    properties: { path: { type: "string" } },
    required: ["path"],
    additionalProperties: false,
  },
  web_resources: ({ path }) => ({
    [path]: async (request, { api }) => {
      const { action, ...params } = JSON.parse(await request.text(), decode);
      const answer = await (ACTIONS[action] as (typeof ACTIONS)[string])(api, params).then(
        (result) => ({ result }),
        (error) => ({
          error: String(error),
          ...(isDatabaseError(error) && {
            kind: error.kind,
            sqlstate: error.sqlstate,
            statement: error.statement,
          }),
        }),
      );
      return new Response(JSON.stringify(answer, encode));
    },
  }),
});

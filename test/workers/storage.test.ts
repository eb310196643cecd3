// The database and the store where several processes share them, on PostgreSQL: nothing is lost, and nothing is left open.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Body, Client } from "../homeserver/client.js";
import { type Deployment, startDeployment } from "../homeserver/deployment.js";
import { projectRoot } from "../homeserver/paths.js";
import { childrenOf } from "../homeserver/processes.js";
import { waitFor } from "../homeserver/wait.js";
import { storageCases } from "../synapse/storage-cases.js";
import { storageModules } from "../synapse/storage-modules.js";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startDeployment({
    modules: storageModules(),
    workers: ["worker1"],
    pythonPath: [`${projectRoot}python-shim`],
  });
}, 90_000);

afterAll(() => deployment?.stop());

async function askAt(process: string, action: string, params: object = {}, by = "granted"): Promise<Body> {
  const client = new Client(deployment.process(process).baseUrl);
  return (await client.post(`/_synapse/client/${by}`, { action, ...params })).body;
}

const ask = (action: string, params?: object, by?: string) => askAt("main", action, params, by);

async function run(...statements: [sql: string, ...params: unknown[]][]): Promise<Body> {
  const list = statements.map(([sql, ...params]) => ({ sql, params }));
  return ask("call", { method: "run_db_interaction", params: { desc: "test", statements: list } });
}

test("two processes that use the store for the first time at once, and then increment one entry, lose nothing", async () => {
  const callers = Array.from({ length: 10 }, (_, n) =>
    askAt(n % 2 ? "worker1" : "main", "increment", { key: "shared", times: 100 }, "other"),
  );
  for (const answer of await Promise.all(callers)) expect(answer.error).toBeUndefined();
  const { result } = await askAt(
    "worker1",
    "call",
    { method: "store.get", params: { key: "shared" } },
    "other",
  );
  expect(result).toBe(1_000);
}, 60_000);

storageCases(ask);

test("values of PostgreSQL's own types arrive as JSON", async () => {
  const { result } = await run(
    [
      "SELECT CAST(? AS JSONB) AS json, CAST('{1,2}' AS INTEGER[]) AS list, CAST(1.50 AS NUMERIC) AS half",
      '{"bytes":"x"}',
    ],
    [
      "SELECT CAST('2026-01-02 03:04:05' AS TIMESTAMP) AS time, CAST('NaN' AS FLOAT) AS nan, TRUE AS yes, CAST(9007199254740993 AS TEXT) AS big",
    ],
  );
  expect(result.map(({ rows }: Body) => rows)).toEqual([
    [{ json: { bytes: "x" }, list: [1, 2], half: 1.5 }],
    [{ time: "2026-01-02T03:04:05", nan: "NaN", yes: true, big: "9007199254740993" }],
  ]);
});

test("statements that meet another transaction are run again", async () => {
  await run(["CREATE TABLE meeting (n INTEGER)"], ["INSERT INTO meeting VALUES (0)"]);
  const meet = () =>
    run(["SELECT n FROM meeting"], ["SELECT pg_sleep(0.3)"], ["UPDATE meeting SET n = n + 1"]);
  let times = 0;
  await waitFor("a retry", async () => {
    for (const { error } of await Promise.all([meet(), meet()])) expect(error).toBeUndefined();
    times += 2;
    return (
      /TXN OPERROR.*granted_test.*could not serialize/.test(deployment.process("main").log()) || undefined
    );
  });
  expect((await run(["SELECT n FROM meeting"])).result[0].rows).toEqual([{ n: times }]);
});

describe("a transaction with a function", () => {
  const insert = ["INSERT INTO held VALUES (?)", [1]];
  const held = async () => (await run(["SELECT COUNT(*) AS n FROM held"])).result[0].rows[0].n;

  beforeAll(async () => {
    const { error } = await run(["CREATE TABLE held (n INTEGER)"]);
    expect(error).toBeUndefined();
  });

  // A connection that was left in a transaction would be missing for good.
  afterAll(async () => {
    const open = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    await waitFor("no open transaction", async () =>
      (await run([open])).result[0].rows[0].n === 0 ? true : undefined,
    );
  });

  test("commits when the function resolves", async () => {
    const statements = [insert, ["SELECT n FROM held"], ["DELETE FROM held"]];
    const { result } = await ask("transact", { statements });
    expect(result).toMatchObject({
      runs: 1,
      results: [{ rowcount: 1 }, { rows: [{ n: 1 }] }, { rowcount: 1 }],
    });
    expect(await held()).toBe(0);
    expect((await ask("transact", { statements: [insert] })).error).toBeUndefined();
    expect(await held()).toBe(1);
    await run(["DELETE FROM held"]);
  });

  test.each([
    ["throws", { end: "throw" }, "the module changed its mind"],
    ["hangs", { end: "hang" }, "func took longer than 500 ms"],
    ["blocks Node", { end: "block" }, "took longer than 500 ms"],
    ["calls the api", { end: "call" }, "api.is_user_admin was called within the func"],
    ["calls the store", { end: "store" }, "api.store.get was called within the func"],
    ["does not wait for a statement that fails", { end: "leave" }, "UndefinedColumn"],
    [
      "takes long over many statements",
      { statements: Array(8).fill(insert), pauseMs: 100 },
      "took longer than 500 ms",
    ],
    ["runs a long statement", { statements: [insert, ["SELECT pg_sleep(30)"]] }, "took longer than 500 ms"],
    ["lets a statement fail", { statements: [insert, ["SELECT 1 / ?", [0]]] }, "DivisionByZero"],
    [
      "goes on after a failure",
      { statements: [insert, ["SELECT 1 / 0"], insert], ignore: true },
      "DivisionByZero",
    ],
    ["commits by itself", { statements: [insert, ["COMMIT"]] }, "may not begin or end a transaction"],
  ])("is rolled back when the function %s", async (_, script, message) => {
    const { error } = await ask("transact", { statements: [insert], ...script });
    expect(error).toContain(message);
    expect(await held()).toBe(0);
  });

  test("is rolled back when Node dies, and others go on", async () => {
    const { pid } = deployment.process("main");
    const [node] = childrenOf(pid);
    const dying = ask("transact", { statements: [insert], end: "kill" });
    await waitFor("another Node", () => childrenOf(pid).find((child) => child !== node));
    await dying;
    const one = async () => (await ask("transact", { statements: [["SELECT 1 AS one"]] })).result;
    expect(await waitFor("another transaction", one)).toMatchObject({ results: [{ rows: [{ one: 1 }] }] });
    expect(await held()).toBe(0);
  });

  test("runs again when another was in its way", async () => {
    await run(["CREATE TABLE contended (n INTEGER)"], ["INSERT INTO contended VALUES (0)"]);
    const script = {
      statements: [["SELECT n FROM contended"], ["UPDATE contended SET n = n + 1"]],
      pauseMs: 50,
    };
    let times = 0;
    await waitFor("a transaction that runs again", async () => {
      const { result } = await ask("transactions", { scripts: [script, script] });
      times += 2;
      return result.some(({ runs }: Body) => runs > 1) || undefined;
    });
    expect((await run(["SELECT n FROM contended"])).result[0].rows).toEqual([{ n: times }]);
  });

  test("waits for its turn: two are run at a time", async () => {
    const most = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    const script = { statements: [["SELECT 1 AS one"], [most]], pauseMs: 100 };
    const { result } = await ask("transactions", { scripts: Array(8).fill(script) });
    for (const { results } of result) expect(results[1].rows[0].n).toBeLessThanOrEqual(2);
  });

  test("is refused when it has waited for too long", async () => {
    const { result } = await ask("transactions", {
      scripts: Array(30).fill({ statements: [insert], end: "hang" }),
    });
    expect(
      result.filter((error: string) => error.includes("no transaction could begin within 5 s")),
    ).not.toEqual([]);
    expect(await held()).toBe(0);
  });
});

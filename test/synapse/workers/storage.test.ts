// The database and the store where several processes share them, on PostgreSQL: nothing is lost, and nothing is left open.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Body, Client, registerUser } from "../../support/client.js";
import { type Deployment, startDeployment } from "../../support/deployment.js";
import { projectRoot } from "../../support/paths.js";
import { childrenOf } from "../../support/processes.js";
import { storageCases } from "../features/storage-cases.js";
import { storageModules } from "../features/storage-modules.js";

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

test("two processes that count to one limit at once allow exactly so many", async () => {
  const params = { key: "limited", limit: 100, ttl: "1h" };
  const count = (n: number) =>
    askAt(n % 2 ? "worker1" : "main", "call", { method: "store.increment", params }, "other");
  const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => count(n)));
  for (const { error } of answers) expect(error).toBeUndefined();
  expect(answers.filter(({ result }) => result.done)).toHaveLength(100);
  const values = answers.filter(({ result }) => result.done).map(({ result }) => result.value);
  expect(new Set(values).size).toBe(100);
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
    return /TXN OPERROR.*granted_test.*could not serialize/.test(deployment.process("main").log());
  });
  expect((await run(["SELECT n FROM meeting"])).result[0].rows).toEqual([{ n: times }]);
});

describe("statements that take too long", () => {
  const tries = async () =>
    (await run(["SELECT CAST(nextval('tries') AS INTEGER) AS n"])).result[0].rows[0].n;

  beforeAll(async () => {
    const { error } = await run(
      // A sequence is not rolled back: it counts how often the statements are run.
      ["CREATE SEQUENCE tries"],
      ["CREATE TABLE slow (n INTEGER)"],
      [
        "CREATE FUNCTION dawdle() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$",
      ],
      [
        "CREATE CONSTRAINT TRIGGER dawdling AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()",
      ],
    );
    expect(error).toBeUndefined();
  });

  test.each([
    ["one of them", [["CREATE TABLE never (n INTEGER)"], ["SELECT pg_sleep(4)"]]],
    ["all together", [["CREATE TABLE never (n INTEGER)"], ...Array(30).fill(["SELECT pg_sleep(0.2)"])]],
    ["their commit", [["CREATE TABLE never (n INTEGER)"], ["INSERT INTO slow VALUES (1)"]]],
  ])(
    "are rolled back, and not run again: %s",
    async (_, statements) => {
      const before = await tries();
      const answer = await run(["SELECT nextval('tries')"], ...(statements as [string][]));
      expect(answer).toMatchObject({ kind: "TransactionOver", sqlstate: null });
      expect(answer.error).toContain("the transaction was rolled back: it took longer than 3000 ms");
      expect(await tries()).toBe(before + 2);
      expect((await run(["SELECT * FROM never"])).sqlstate).toBe("42P01");
    },
    20_000,
  );

  test("are not run again where a function runs them", async () => {
    for (const last of ["SELECT pg_sleep(30)", "INSERT INTO slow VALUES (1)"]) {
      const before = await tries();
      const { error } = await ask("transact", { statements: [["SELECT nextval('tries')"], [last]] });
      expect(error).toContain("longer than 500 ms");
      expect(await tries()).toBe(before + 2);
    }
  });
});

describe("Synapse's connections", () => {
  const settings: [string] = [
    "SELECT current_setting('search_path') AS path, current_setting('bytea_output') AS bytea",
  ];

  test.each([
    "SET search_path = nowhere",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "RESET ALL",
    "DISCARD ALL",
    "SELECT set_config('search_path', 'nowhere', false)",
    "ALTER ROLE synapse SET search_path = nowhere",
    "SELECT pg_advisory_lock(1)",
    "CREATE TEMP TABLE users (name TEXT)",
    "PREPARE a AS SELECT 1",
    "DO $$ BEGIN COMMIT; END $$",
  ])("are not changed by %s", async (text) => {
    for (const { error } of [await run([text]), await ask("transact", { statements: [[text]] })]) {
      expect(error).toMatch(/a statement may not|what is temporary stays/);
    }
    expect((await run(settings)).result[0].rows).toEqual([{ path: '"$user", public', bytea: "escape" }]);
  });

  test("serve registrations as before", async () => {
    const { baseUrl } = deployment.process("main");
    const { sharedSecret } = deployment;
    // As many at once as there are connections.
    await Promise.all(
      Array.from({ length: 5 }, (_, n) => registerUser({ baseUrl, sharedSecret }, `unharmed${n}`)),
    );
  });
});

test("a failure is told with its place", async () => {
  const answer = await run(["SELECT 1"], ["SELECT ?,\n  ? FROM users u v", "hunter2", 5]);
  expect(answer).toMatchObject({ kind: "SyntaxError", sqlstate: "42601", statement: 1 });
  expect(answer.error).toContain('SyntaxError: syntax error at or near "v" (statement 2, line 2, column 18)');
  const { error } = await ask("transact", { statements: [["SELECT ?,\n nope", ["hunter2"]]] });
  expect(error).toContain('UndefinedColumn: column "nope" does not exist (line 2, column 2)');
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
    await waitFor("no open transaction", async () => (await run([open])).result[0].rows[0].n === 0);
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
    [
      "commits in passing, and goes on",
      { statements: [["INSERT INTO held VALUES (2); COMMIT"], insert], ignore: true },
      "there are 2 statements in one",
    ],
  ])("is rolled back when the function %s", async (_, script, message) => {
    const { error } = await ask("transact", { statements: [insert], ...script });
    expect(error).toContain(message);
    expect(await held()).toBe(0);
  });

  test("fails as its deferred constraints do, and runs again if they ask for it", async () => {
    const constrained = (table: string, code: string) => [
      [`CREATE TABLE ${table} (n INTEGER)`],
      [
        `CREATE FUNCTION raise_${table}() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE 'late' USING ERRCODE = '${code}'; END $$`,
      ],
      [
        `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ${table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_${table}()`,
      ],
      [
        `CREATE FUNCTION fill_${table}() RETURNS INTEGER LANGUAGE sql AS 'INSERT INTO ${table} VALUES (1) RETURNING 1'`,
      ],
    ];
    for (const [table, code] of [
      ["checked", "23514"],
      ["contending", "40001"],
      ["crowded", "53100"],
    ] as const)
      expect((await run(...(constrained(table, code) as [string][]))).error).toBeUndefined();
    const transact = (sql: string) => ask("transact", { statements: [[sql], insert] });
    expect(await transact("INSERT INTO checked VALUES (1)")).toMatchObject({ sqlstate: "23514" });
    await run(["CREATE SEQUENCE contentions"]);
    expect(
      await transact("INSERT INTO contending SELECT CAST(nextval('contentions') AS INTEGER)"),
    ).toMatchObject({ sqlstate: "40001" });
    const { result } = await run(["SELECT CAST(nextval('contentions') AS INTEGER) AS n"]);
    expect(result[0].rows).toEqual([{ n: 6 }]);
    // Nobody can tell that this writes.
    const { error } = await ask("transact", { statements: [["SELECT fill_crowded()"]] });
    expect(error).toContain("the transaction's commit failed");
    expect(await held()).toBe(0);
  });

  test("is rolled back when the database ends its connection, and others go on", async () => {
    // What was only read is first missed by the commit, in the words of psycopg2 or of Twisted.
    for (const [statement, kind] of [
      [insert, /AdminShutdown|OperationalError/],
      [["SELECT 1 AS one"], /ConnectionLost|OperationalError/],
    ] as const) {
      const ended = ask("transact", { statements: [statement], pauseMs: 400 });
      const end = `SELECT pg_terminate_backend(pid) AS was FROM pg_stat_activity
        WHERE application_name LIKE 'module_bridge_granted_transact%' AND state = 'idle in transaction'`;
      await waitFor("a connection to end", async () => (await run([end])).result[0].rows.length > 0);
      expect((await ended).kind).toMatch(kind);
      expect(await held()).toBe(0);
    }
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
      return result.some(({ runs }: Body) => runs > 1);
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

// What api.run_db_interaction and api.store do on SQLite and on PostgreSQL alike.
import { describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import type { Body } from "../../support/client.js";

/** Lets one of the modules `granted`, `other` and `shadow` do something; `none` has no grants. */
export type Ask = (action: string, params?: object, by?: string) => Promise<Body>;

export function storageCases(ask: Ask): void {
  const call = (method: string, params?: object, by?: string) => ask("call", { method, params }, by);
  const run = (...statements: object[]) => call("run_db_interaction", { desc: "test", statements });
  const sql = (text: string, ...params: unknown[]) => ({ sql: text, params });

  describe("run_db_interaction with statements", () => {
    test("gives rows by the names of their columns, and how many were changed", async () => {
      const { result } = await run(
        sql("CREATE TABLE test_rows (id INTEGER, name TEXT, done BOOLEAN, data BYTEA, share REAL)"),
        { sql: "INSERT INTO test_rows VALUES (?, ?, ?, ?, ?)", params: [1, "50% ☃", true, null, 0.5] },
        {
          sql: "INSERT INTO test_rows (id, name) VALUES (?, ?)",
          params_list: [
            [2, "two"],
            [3, "three"],
          ],
        },
        sql("UPDATE test_rows SET data = ? WHERE id > ?", { $bytes: [0, 255, 39] }, 1),
        sql("SELECT id, name, data FROM test_rows WHERE name LIKE 't%' ORDER BY id"),
        { sql: "SELECT share, COUNT(*) AS n FROM test_rows GROUP BY share ORDER BY n", fetch: "one" },
        { sql: "SELECT id FROM test_rows", fetch: "none" },
        sql("SELECT done FROM test_rows WHERE id = ?", 1),
        sql("SELECT SUM(id) AS total, AVG(id) AS mean FROM test_rows"),
      );
      expect(result.map(({ rows }: Body) => rows)).toEqual([
        [],
        [],
        [],
        [],
        [
          { id: 2, name: "two", data: { $bytes: [0, 255, 39] } },
          { id: 3, name: "three", data: { $bytes: [0, 255, 39] } },
        ],
        [{ share: 0.5, n: 1 }],
        [],
        [{ done: expect.anything() }],
        [{ total: 6, mean: 2 }],
      ]);
      expect(Boolean(result[7].rows[0].done)).toBe(true); // SQLite has no booleans
      expect(result.slice(1, 5).map(({ rowcount }: Body) => rowcount)).toEqual([1, 2, 2, 2]);
    });

    test("takes all back if one fails, also a table that was made", async () => {
      const failed = await run(
        sql("CREATE TABLE test_gone (id INTEGER PRIMARY KEY)"),
        sql("INSERT INTO test_gone VALUES (?)", 1),
        sql("INSERT INTO test_gone VALUES (?)", 1),
      );
      expect(failed.statement).toBe(2);
      expect(["IntegrityError", "UniqueViolation"]).toContain(failed.kind);
      expect(failed.error).toContain("(statement 3)");
      const gone = await run(sql("SELECT * FROM test_gone"));
      expect(gone.error).toContain("test_gone");
      expect(gone.statement).toBe(0);
    });

    test.each([
      "INSERT INTO test_whole VALUES (2); COMMIT",
      "COMMIT; BEGIN",
      "/* /* */ */ COMMIT",
      "/* /* */ COMMIT",
      "\ufeffCOMMIT",
      "SAVEPOINT a; ROLLBACK",
      "ROLLBACK",
      "SELECT 1 -- \r; COMMIT",
      "SELECT 'a\\'; COMMIT; --'",
    ])("takes all back if one fails, or none, whatever it says: %j", async (text) => {
      await run(sql("CREATE TABLE test_whole (n INTEGER PRIMARY KEY)"));
      const answer = await run(
        sql("INSERT INTO test_whole VALUES (?)", 1),
        sql(text),
        sql("INSERT INTO test_whole VALUES (?)", 1),
      );
      expect(answer.error).toBeDefined();
      expect((await run(sql("SELECT n FROM test_whole"))).result[0].rows).toEqual([]);
      await run(sql("DROP TABLE test_whole"));
    });

    test("takes a `?` for a parameter where it is no text", async () => {
      const { result } = await run(
        sql("SELECT '?' AS a, ? AS \"b?\" /* ? */ WHERE '%?s' = ? -- ?", 1, "%?s"),
        { sql: "INSERT INTO test_rows (id, name) SELECT ?, 'what?'", params_list: [[90], [91]] },
        sql("SELECT name FROM test_rows WHERE name = 'what?' AND id = ?", 91),
        sql("DELETE FROM test_rows WHERE id > ?", 89),
      );
      expect(result.map(({ rows }: Body) => rows)).toEqual([
        [{ a: "?", "b?": 1 }],
        [],
        [{ name: "what?" }],
        [],
      ]);
    });

    test("tells no parameters in its errors", async () => {
      const secret = "hunter2";
      for (const statement of [
        sql("SELECT ? FROM no_such_table", secret),
        sql("SELECT CAST(? AS INTEGER) + no_such_column", secret),
        sql("INSERT INTO test_rows (no_such_column) VALUES (?)", secret),
        sql("SELECT 1 ? FROM", secret),
        sql("SELECT ? ->> 'not json'", secret),
      ]) {
        const { error } = await run(statement);
        expect(error).toContain("DatabaseError: api.run_db_interaction failed: ");
        expect(error).not.toContain(secret);
      }
    });

    test.each([
      ["ends the transaction", "COMMIT", [], "may not begin or end a transaction"],
      ["ends it behind a byte order mark", "\ufeffCOMMIT", [], "may not begin or end a transaction"],
      ["ends it behind comments", "/* 1 */ -- 2\n;END", [], "may not begin or end a transaction"],
      ["begins a part of it", "SAVEPOINT a", [], "may not begin or end a transaction"],
      ["changes settings", "SET search_path = nowhere", [], "may not begin with SET"],
      ["changes settings of SQLite", "PRAGMA foreign_keys = OFF", [], "may not begin with PRAGMA"],
      ["does something else", "VACUUM", [], "may not begin with VACUUM, but with one of SELECT"],
      ["is two", "SELECT 1; SELECT 2", [], "there are 2 statements in one"],
      ["is none", "-- SELECT 1", [], "there is no statement"],
      ["leaves a table in the connection", "CREATE TEMP TABLE a (n INTEGER)", [], "what is temporary stays"],
      ["has numbered parameters", "SELECT ?1", [1], "a `?` touches"],
      ["has too few parameters", "SELECT ?, ?", [1], "has 2 `?` and was given 1 parameters"],
      ["has columns of one name", "SELECT 1 AS a, 2 AS a", [], "two columns are called a"],
      [
        "has too many rows",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) SELECT i FROM n",
        [],
        "more than 10000 rows: use LIMIT",
      ],
      [
        "has too large rows",
        "WITH RECURSIVE n(t) AS (SELECT ? UNION ALL SELECT t || t FROM n WHERE length(t) < 10000000) SELECT t FROM n",
        ["x".repeat(1000)],
        "rows of more than 16 MiB",
      ],
    ])("refuses a statement that %s", async (_, text, params, message) => {
      const answer = await run({ sql: text, params });
      expect(answer.error).toContain(message);
      expect(answer.kind).toBe("BadStatement");
    });

    test("refuses parameters that no database takes", async () => {
      expect((await run(sql("SELECT ?", { a: 1 }))).error).toContain("statements.0.params.0");
    });

    test("needs a grant", async () => {
      const refused = await call("run_db_interaction", { desc: "test", statements: [] }, "none");
      expect(refused.error).toContain("write `grants: [run_db_interaction]`");
      const shadowed = await call("run_db_interaction", { desc: "test", statements: [] }, "shadow");
      expect(shadowed.error).toContain("may not call run_db_interaction");
    });
  });

  describe("the store", () => {
    const get = async (key: string, by?: string) => (await call("store.get", { key }, by)).result;
    const absent = { $undefined: true };

    test("keeps any JSON value, each module's for itself", async () => {
      for (const value of [null, 0, false, "", [1, { a: null }], { "☃": "\ud800", nul: "\0" }, 1e300]) {
        await call("store.set", { key: "any", value });
        expect(await get("any")).toEqual(value);
      }
      expect(await get("any", "other")).toEqual(absent);
      expect((await call("store.delete", { key: "any" })).result).toBe(true);
      expect((await call("store.delete", { key: "any" })).result).toBe(false);
      expect(await get("any")).toEqual(absent);
    });

    test("lists entries in the order of their keys, page by page", async () => {
      for (const key of ["list/b", "list/B", "list/☃", "list/a", "listen", "lisu"])
        await call("store.set", { key, value: key });
      const list = async (params: object) => {
        const { result } = await call("store.list", params);
        for (const { key, value } of result) expect(value).toBe(key);
        return result.map(({ key }: Body) => key);
      };
      expect(await list({ prefix: "list/" })).toEqual(["list/B", "list/a", "list/b", "list/☃"]);
      expect(await list({ prefix: "list/", limit: 2, after: "list/B" })).toEqual(["list/a", "list/b"]);
      expect(await list({ prefix: "lis" })).toHaveLength(6);
      expect(await list({ prefix: "list%" })).toEqual([]);
      expect((await call("store.list", { prefix: "list" }, "other")).result).toEqual([]);
      expect((await call("store.list")).result).toHaveLength(6);
    });

    test("sets a value only where the present one is as expected", async () => {
      const key = "cas";
      const set = async (change: object) => (await call("store.compare_and_set", { key, ...change })).result;
      expect(await set({ expected: 1, value: 2 })).toBe(false);
      expect(await set({ value: { a: 1, b: [2] } })).toBe(true);
      expect(await set({ value: 3 })).toBe(false);
      expect(await set({ expected: null, value: 3 })).toBe(false);
      expect(await set({ expected: { b: [2], a: 1 }, value: null })).toBe(true);
      expect(await get(key)).toBeNull();
      expect(await set({ expected: null })).toBe(true);
      expect(await get(key)).toEqual(absent);
      expect(await set({})).toBe(true);
    });

    test("forgets an entry once its time has passed", async () => {
      const key = "brief";
      await call("store.set", { key, value: 1, ttl: 1 });
      await waitFor("the entry to expire", async () => (await get(key))?.$undefined === true);
      expect((await call("store.list", { prefix: key })).result).toEqual([]);
      expect((await call("store.delete", { key })).result).toBe(false);
      expect((await call("store.compare_and_set", { key, expected: 1, value: 2 })).result).toBe(false);
      expect((await call("store.compare_and_set", { key, value: 2, ttl: "1h" })).result).toBe(true);
      expect(await get(key)).toBe(2);
    });

    test("updates in place, and deletes what the update leaves undefined", async () => {
      expect((await ask("increment", { key: "n", times: 2 })).result).toEqual([1, 2]);
      expect((await ask("remove", { key: "n" })).result).toEqual(absent);
      expect(await get("n")).toEqual(absent);
      expect((await ask("badUpdate", { key: "n" })).error).toContain("update must not be async");
    });

    test("a number counts up to its limit, also with many callers at once, and expires", async () => {
      const count = async (key: string, ttl: unknown, by?: string) =>
        (await call("store.increment", { key, limit: 20, ttl }, by)).result;
      const both = await Promise.all(
        Array.from({ length: 50 }, (_, n) => count("counted", "1h", n % 2 ? "other" : "granted")),
      );
      // Each module has 25 callers, and numbers of its own.
      expect(both.filter(({ done }) => done)).toHaveLength(40);
      const [, last] = both.slice(-2);
      expect(last).toMatchObject({ done: false, value: 20 });
      expect(last.expires_in_ms).toBeGreaterThan(3_500_000);
      expect(await get("counted")).toBe(20);
      await count("soon over", 1);
      const again = async () => (await count("soon over", "1h")).value === 1;
      await waitFor("the count to begin anew", again);
    });

    test("what is no number is not counted on, and its value is not told", async () => {
      await call("store.set", { key: "no number", value: { secret: "hunter2" } });
      const { error } = await call("store.increment", { key: "no number" });
      expect(error).toContain("the value is not a count");
      expect(error).not.toContain("hunter2");
    });

    test.each([
      ["an empty key", "store.set", { key: "", value: 1 }, "the key has 0 bytes"],
      [
        "a long key",
        "store.get",
        { key: "☃".repeat(171) },
        "the key has 513 bytes: it must have from 1 to 512",
      ],
      ["a key with NUL", "store.get", { key: "a\0b" }, "U+0000"],
      ["a key with half a character", "store.get", { key: "\ud800" }, "well-formed"],
      [
        "a large value",
        "store.set",
        { key: "big", value: "x".repeat(65_535) },
        "the value has 65537 bytes as JSON",
      ],
      [
        "a ttl that is none",
        "store.set",
        { key: "k", value: 1, ttl: "soon" },
        "ttl must be milliseconds, or a duration",
      ],
      ["a ttl of nothing", "store.set", { key: "k", value: 1, ttl: 0 }, "ttl must be from 1 ms"],
      ["no value", "store.set", { key: "k" }, "value is missing"],
      ["a long list", "store.list", { limit: 501 }, "limit must be from 1 to 500"],
    ])("refuses %s", async (_, method, params, message) => {
      expect((await call(method, params)).error).toContain(message);
    });

    test("may be read by any module, and written with a grant", async () => {
      expect(await get("any", "none")).toEqual(absent);
      for (const [method, params] of [
        ["store.set", { key: "k", value: 1 }],
        ["store.delete", { key: "k" }],
        ["store.compare_and_set", { key: "k", value: 1 }],
      ] as const) {
        const { error } = await call(method, params, "none");
        expect(error).toContain(`none may not call ${method}: write \`grants: [store]\``);
        expect((await call(method, params, "shadow")).error).toContain("shadow may not call");
      }
      expect((await ask("increment", { key: "k", times: 1 }, "none")).error).toContain(
        "may not call store.update",
      );
      expect(await get("k", "shadow")).toEqual(absent);
    });
  });
}

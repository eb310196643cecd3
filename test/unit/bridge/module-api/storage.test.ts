// The database and the store as a module calls them: what travels, and what becomes of the answers.
import { setTimeout as pause } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { type Api, DatabaseError, isDatabaseError, type Transaction } from "../../../../bridge/index.js";
import { makeApi } from "../../../../bridge/module-api/api.js";
import { WireError } from "../../../../bridge/module-api/api-errors.js";
import { SYNAPSE } from "../rig.js";

type Answer = (params: Record<string, unknown>) => unknown;

const sent: string[] = [];
let answers: Record<string, Answer>;
const failed = (sqlstate: string) =>
  new WireError("database_error", "it failed", { class: "Failure", sqlstate, statement: null });

beforeEach(() => {
  sent.length = 0;
  answers = {
    "run_db_interaction/begin": () => ({ transaction: 7 }),
    "run_db_interaction/execute": () => ({ columns: ["n"], rows: [[1]], rowcount: 1 }),
    "run_db_interaction/commit": () => null,
    "run_db_interaction/roll_back": () => null,
    is_user_admin: () => true,
  };
});

function api(): Api {
  const module = { name: "m", grants: new Set(["run_db_interaction", "store"]) };
  const source = {
    async request(method: string, { params }: { params: object }) {
      sent.push(method);
      const answer = answers[method]?.(params as Record<string, unknown>);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    handleOf: () => undefined,
    render: () => Promise.reject(new Error("no templates here")),
  };
  return makeApi(module, SYNAPSE, source, catalogue()) as Api;
}

const steps = () => sent.map((method) => method.replace("run_db_interaction/", ""));
const interact = <Value>(func: (txn: Transaction) => Value | Promise<Value>) =>
  api().run_db_interaction({ desc: "d", func });

describe("statements", () => {
  test("travel with bytes as base64, and rows come back by the names of their columns", async () => {
    let given: unknown;
    answers.run_db_interaction = (params) => {
      given = params;
      const cells = [{ bytes: "AP8=" }, { json: { bytes: "x" } }, null, 1];
      return [{ columns: ["bytes", "json", "none", "n"], rows: [cells], rowcount: 1 }];
    };
    const bytes = new Uint8Array([0, 255]);
    const [result] = await api().run_db_interaction({
      desc: "d",
      statements: [
        { sql: "a", params: [bytes, "x", 1, null, true] },
        { sql: "b", params_list: [[bytes]] },
      ],
    });
    expect(given).toEqual({
      desc: "d",
      statements: [
        { sql: "a", params: [{ bytes: "AP8=" }, "x", 1, null, true] },
        { sql: "b", params_list: [[{ bytes: "AP8=" }]] },
      ],
    });
    expect(result).toEqual({ rows: [{ bytes, json: { bytes: "x" }, none: null, n: 1 }], rowcount: 1 });
  });

  test("that fail are a DatabaseError", async () => {
    const data = { class: "UniqueViolation", sqlstate: "23505", statement: 1 };
    answers.run_db_interaction = () => new WireError("database_error", "there is one already", data);
    const error = await api()
      .run_db_interaction({ desc: "d", statements: [] })
      .catch((e) => e);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(isDatabaseError(error)).toBe(true);
    expect(error).toMatchObject({ kind: "UniqueViolation", sqlstate: "23505", statement: 1 });
    expect(error.message).toBe("api.run_db_interaction failed: there is one already");
  });

  test.each([
    ["a parameter that is no value", { statements: [{ sql: "a", params: [new Date()] }] }, "params.0"],
    ["a statement without SQL", { statements: [{}] }, "statements.0"],
    ["neither statements nor a function", {}, "statements is missing"],
    ["both", { statements: [], func: () => {} }, "either statements or func"],
    ["a function that is none", { func: 3 }, "func must be a function"],
  ])("are refused with %s", async (_, params, message) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types would not let through
    const refused = api().run_db_interaction({ desc: "d", ...params } as any);
    await expect(refused).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });
});

describe("a transaction with a function", () => {
  test("is committed with what the function returns", async () => {
    const value = await interact(async (txn) => (await txn.execute("SELECT 1")).rows[0]?.n);
    expect(value).toBe(1);
    expect(steps()).toEqual(["begin", "execute", "commit"]);
  });

  test("is rolled back when the function throws", async () => {
    const thrown = new Error("no");
    await expect(interact(() => Promise.reject(thrown))).rejects.toBe(thrown);
    expect(steps()).toEqual(["begin", "roll_back"]);
  });

  test("lets nothing else of the api be called, also not a transaction in itself", async () => {
    const own = api();
    const within = (func: () => unknown) => own.run_db_interaction({ desc: "d", func });
    const refusals = [
      () => own.is_user_admin({ user_id: "@a:b" }),
      () => own.store.get({ key: "k" }),
      () => own.run_db_interaction({ desc: "d", statements: [] }),
    ];
    for (const refused of refusals) {
      await expect(within(refused)).rejects.toThrow("was called within the func of api.run_db_interaction");
    }
    expect(own.is_mine({ id: "@a:b" })).toBe(false);
    expect(await own.is_user_admin({ user_id: "@a:b" })).toBe(true);
  });

  test("lets what it has started go on once it is over", async () => {
    const own = api();
    let later: Promise<unknown> | undefined;
    let leaked: Transaction | undefined;
    await own.run_db_interaction({
      desc: "d",
      func: (txn) => {
        leaked = txn;
        later = pause(20).then(() => own.is_user_admin({ user_id: "@a:b" }));
      },
    });
    expect(await later).toBe(true);
    await expect(leaked?.execute("SELECT 1")).rejects.toThrow("after its transaction was over");
  });

  test("runs again where another was in its way, five times at most", async () => {
    let left = 2;
    answers["run_db_interaction/execute"] = () => (left-- > 0 ? failed("40001") : { columns: [], rows: [] });
    let runs = 0;
    await interact((txn) => txn.execute("UPDATE").finally(() => runs++));
    expect(runs).toBe(3);
    left = 100;
    runs = 0;
    await expect(interact((txn) => txn.execute("UPDATE").finally(() => runs++))).rejects.toThrow(
      DatabaseError,
    );
    expect(runs).toBe(5);
  });

  test.each([
    ["sql that is none", 5, [], "statements.0.sql must be string"],
    [
      "too much sql",
      " ".repeat(1_000_001),
      [],
      "statements.0.sql must NOT have more than 1000000 characters",
    ],
    ["parameters that are no list", "SELECT 1", {}, "statements.0.params must be array"],
    ["a parameter that is no value", "SELECT ?", [new Date()], "statements.0.params.0"],
  ])("sends no statement with %s", async (_, sql, params, message) => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types would not let through
    await expect(interact((txn) => txn.execute(sql as any, params as any))).rejects.toThrow(message);
    expect(steps()).toEqual(["begin", "roll_back"]);
  });

  test("fails with a statement that nobody waited for", async () => {
    answers["run_db_interaction/execute"] = () => failed("22012");
    answers["run_db_interaction/commit"] = () => failed("late");
    const error = await interact((txn) => {
      void txn.execute("SELECT 1 / 0");
    }).catch((e) => e);
    expect(error).toMatchObject({ sqlstate: "22012" });
  });
});

describe("the store", () => {
  test("tells null from nothing", async () => {
    answers["store.get"] = ({ key }) => (key === "null" ? { value: null } : null);
    expect(await api().store.get({ key: "null" })).toBeNull();
    expect(await api().store.get({ key: "none" })).toBeUndefined();
  });

  test("updates until nobody has written in between", async () => {
    const present = [1, 5, 9];
    answers["store.get"] = () => ({ value: present.shift() });
    answers["store.compare_and_set"] = ({ expected, value, ttl }) => {
      expect([value, ttl]).toEqual([Number(expected) + 1, "1h"]);
      return expected === 9;
    };
    const update = (value: number | undefined) => (value ?? 0) + 1;
    expect(await api().store.update({ key: "k", update, ttl: "1h" })).toBe(10);
  });

  test("lets updates of one key wait for each other, also for one that fails", async () => {
    let value = 0;
    answers["store.get"] = () => ({ value });
    answers["store.compare_and_set"] = (params) => {
      expect(params.expected).toBe(value);
      value = params.value as number;
      return true;
    };
    const own = api();
    const bad = own.store.update({
      key: "k",
      update: () => {
        throw new Error("no");
      },
    });
    const all = Array.from({ length: 50 }, () =>
      own.store.update<number>({ key: "k", update: (n) => (n ?? 0) + 1 }),
    );
    await expect(bad).rejects.toThrow("no");
    expect(await Promise.all(all)).toHaveLength(50);
    expect(value).toBe(50);
  });

  test.each([
    ["set", { key: "k", value: { when: new Date() } }, "value: when is a Date"],
    ["compare_and_set", { key: "k", expected: [Number.NaN], value: 1 }, "expected: [0] is NaN"],
    ["update", { key: "k", update: () => ({ a: () => 1 }) }, "what update returned: a is a function"],
    ["update", { key: "k", update: 1 }, "update must be a function"],
    ["update", { key: "k", update: () => 1, other: 1 }, "store.update has no parameter other"],
    ["update", { update: () => 1 }, "store.update: key is missing"],
    ["update", { key: "k", update: () => 1, ttl: 1.5 }, "store.update: ttl must be"],
    ["set", { key: "k" }, "value is missing"],
    ["set", { key: "k", value: 1, ttl: null }, "ttl must be"],
  ])("%s refuses %j", async (method, params, message) => {
    answers["store.get"] = () => null;
    // biome-ignore lint/suspicious/noExplicitAny: what the types would not let through
    await expect((api().store as any)[method](params)).rejects.toThrow(message);
    expect(sent).not.toContain("store.compare_and_set");
  });
});

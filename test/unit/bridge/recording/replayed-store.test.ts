// What a module reads from its store during a replay, against what the recording has of it.
import { describe, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { RecordedApi, RecordedCall, RecordedLine } from "../../../../bridge/recording/format.js";
import { RecordedAnswers } from "../../../../bridge/recording/recorded-answers.js";
import { ReplayedStore } from "../../../../bridge/recording/replayed-store.js";

type Ask = (method: string, params: object) => Promise<unknown>;

const EPOCH = Date.UTC(2026, 0, 1);

/** A recorded call at a second. */
function call(second: number, api: RecordedApi[], more: object = {}): RecordedCall {
  return {
    ...{ recording: 1, at: new Date(EPOCH + second * 1000).toISOString(), module: "policy", ms: 1 },
    ...{ callback: "user_may_invite", request: null, params: {}, verdict: { answer: "NOT_SPAM" }, api },
    versions: { bridge: "0.1.0", node: "v20.0.0", files: "f", config: "c" },
    synapse: { version: "1.163.2", server_name: "b", worker_name: null, run_background_tasks: true },
    ...more,
  } as RecordedCall;
}

const outside = (second: number, during: string, api: RecordedApi[]) => {
  const { callback: _, verdict: __, ...rest } = call(second, api);
  return { ...rest, during } as unknown as RecordedLine;
};

const get = (key: string, value: unknown): RecordedApi => ({
  ...{ method: "store.get", params: { key } },
  answer: value === undefined ? null : { value },
});
const set = (key: string, value: unknown, more: object = {}): RecordedApi => ({
  ...{ method: "store.set", params: { key, value, ...more }, answer: null },
});
const remove = (key: string, answer: boolean): RecordedApi => ({
  ...{ method: "store.delete", params: { key }, answer },
});
const swap = (key: string, expected: unknown, value: unknown, answer = true): RecordedApi => ({
  ...{ method: "store.compare_and_set", params: { key, expected, value }, answer },
});
const list = (params: object, ...entries: [string, unknown][]): RecordedApi => ({
  ...{ method: "store.list", params },
  answer: entries.map(([key, value]) => ({ key, value })),
});

/** Replays the lines; `each` stands for the module. Returns what it returned at each call, and `?` where it is not certain. */
async function replay(
  lines: RecordedLine[],
  each: (ask: Ask, call: number) => Promise<unknown>,
  store = new ReplayedStore(),
) {
  const answers = new RecordedAnswers(catalogue(), store);
  for (const line of lines) answers.survey(line);
  answers.replace("policy");
  const ask: Ask = (method, params) =>
    answers.source.request(method as never, { module: "policy", params } as never) as Promise<unknown>;
  const results: unknown[] = [];
  for (const line of lines) {
    const isCall = "callback" in line;
    answers.enter(line, isCall);
    if (!isCall) continue;
    answers.begin(line);
    const before = answers.asked;
    const result = await each(ask, results.length);
    results.push(answers.asked > before ? ["?", result] : result);
  }
  return results;
}

const read =
  (key: string) =>
  async (ask: Ask): Promise<unknown> =>
    ((await ask("store.get", { key })) as { value: unknown } | null)?.value;

/** As `api.store.update` does it. */
const add = (by: number) => async (ask: Ask) => {
  const before = (await read("n")(ask)) as number | undefined;
  const value = (before ?? 0) + by;
  const done = await ask("store.compare_and_set", { key: "n", expected: before, value });
  return done ? value : "failed";
};

describe("a number that the recorded module counted", () => {
  const params = { key: "n", limit: 3, ttl: "1h" };
  const counted = (value: number, more: object = {}): RecordedApi => ({
    ...{ method: "store.increment", params },
    answer: { done: true, value, expires_in_ms: 3_600_000, ...more },
  });
  const count =
    (more: object = {}) =>
    (ask: Ask) =>
      ask("store.increment", { ...params, ...more });
  const told = (value: number, done: boolean, expires_in_ms: number | null = 3_600_000) => ({
    ...{ done, value, expires_in_ms },
  });

  test("comes to the same again, with what others have counted in between", async () => {
    const lines = [
      call(0, [counted(1)]),
      call(10, [counted(3, { expires_in_ms: 3_589_999 })]),
      call(20, [counted(3, { done: false, expires_in_ms: 3_579_999 })]),
    ];
    const expected = [told(1, true), told(3, true, 3_589_999), told(3, false, 3_579_999)];
    expect(await replay(lines, count())).toEqual(expected);
  });

  test("comes to its own limit, if this version has another, and begins anew in time", async () => {
    const lines = [
      call(0, [counted(1)]),
      call(10, [counted(2, { expires_in_ms: 3_590_000 })]),
      call(3_600, [counted(1)]),
    ];
    const expected = [told(1, true), told(1, false, 3_590_000), told(1, true)];
    expect(await replay(lines, count({ limit: 1 }))).toEqual(expected);
  });

  test("is not certain if production did not count, until this version has", async () => {
    const lines = [call(0, []), call(10, [])];
    expect(await replay(lines, count())).toEqual([["?", told(1, true)], told(2, true, 3_590_000)]);
  });
});

describe("a key that the recorded module wrote", () => {
  const others = [
    call(0, [get("n", undefined), swap("n", undefined, 1)]),
    call(10, [get("n", 5), swap("n", 5, 6)]),
    call(20, [get("n", 6), swap("n", 6, 7)]),
  ];

  test("has what others have written in between, if this version has written the same before", async () => {
    expect(await replay(others, add(1))).toEqual([1, 6, 7]);
  });

  test("is not certain after others have written it, if this version has written otherwise", async () => {
    expect(await replay(others, add(100))).toEqual([100, ["?", 200], ["?", 300]]);
  });

  test("is certain again once this version has set it", async () => {
    const sets: (ask: Ask, call: number) => Promise<unknown> = async (ask, number) => {
      if (number === 1) await ask("store.set", { key: "n", value: "new" });
      else if (number === 0) await ask("store.set", { key: "n", value: "other" });
      return read("n")(ask);
    };
    expect(await replay(others, sets)).toEqual(["other", "new", "new"]);
  });

  test("is not certain if nothing tells what was there before", async () => {
    const lines = [call(0, [set("n", 1)]), call(10, [get("n", 1)])];
    expect(await replay(lines, read("n"))).toEqual([
      ["?", undefined],
      ["?", undefined],
    ]);
    expect(await replay(lines, add(1))).toEqual([
      ["?", 1],
      ["?", 2],
    ]);
  });

  test.each([
    ["a read", get("n", 4), 4],
    ["a deletion that found nothing", remove("n", false), undefined],
    ["an exchange", swap("n", 4, 5), 4],
    ["a list", list({ prefix: "n" }, ["n", 4]), 4],
  ])("was before what %s tells, also in calls before it", async (_, told, value) => {
    const lines = [call(0, []), call(10, [told, set("n", 9)]), call(20, [get("n", 9)])];
    expect(await replay(lines, read("n"))).toEqual([value, value, value]);
  });

  test("expires by the times of the calls", async () => {
    const lines = [0, 5, 10, 15].map((second) =>
      call(second, second === 0 ? [get("n", undefined), set("n", 1)] : []),
    );
    const reads = await replay(lines, async (ask, number) => {
      if (number === 0) await ask("store.set", { key: "n", value: "x", ttl: "10s" });
      return read("n")(ask);
    });
    expect(reads).toEqual(["x", "x", undefined, undefined]);
  });

  test("that has expired in production and in the replay is no write of others", async () => {
    const lines = [
      call(0, [get("n", undefined), set("n", 1, { ttl: 5_000 })]),
      call(10, [get("n", undefined), set("n", 1, { ttl: 5_000 })]),
    ];
    const sets = async (ask: Ask) => {
      const before = await read("n")(ask);
      await ask("store.set", { key: "n", value: 2, ttl: "5s" });
      return before;
    };
    expect(await replay(lines, sets)).toEqual([undefined, undefined]);
  });

  test("has what calls of the same time wrote in any order, without others", async () => {
    const lines = [
      call(0, [get("n", undefined), swap("n", undefined, 1)], { ms: 30_000 }),
      call(10, [get("n", undefined), swap("n", undefined, 1, false), get("n", 1), swap("n", 1, 2)]),
      call(60, [get("n", 2), swap("n", 2, 3)]),
    ];
    expect(await replay(lines, add(100))).toEqual([100, 200, 300]);
    expect((await replay(lines, add(1))).at(-1)).toBe(3);
  });

  test("has what its setup and its timers wrote, which a replay does not run at that time", async () => {
    const lines = [
      outside(0, "setup", [set("n", 1)]),
      call(10, []),
      outside(20, "later", [set("n", 2)]),
      call(30, []),
    ];
    expect(await replay(lines, read("n"))).toEqual([1, 2]);
  });
});

test("a key that nobody has written has what the recording says in each call", async () => {
  const lines = [
    call(0, [get("n", 1), get("n", 2)]),
    call(10, [get("n", 3)]),
    call(20, [get("n", undefined)]),
  ];
  const twice = async (ask: Ask) => [await read("n")(ask), await read("n")(ask)];
  expect(await replay(lines, twice)).toEqual([
    [1, 2],
    [3, 3],
    [undefined, undefined],
  ]);
});

describe("a list", () => {
  const page = { prefix: "a/", limit: 2 };
  const keys = async (ask: Ask, params: object = page) =>
    ((await ask("store.list", params)) as { key: string }[]).map(({ key }) => key);

  test("has what this version has written and lacks what only the recorded one has", async () => {
    const lines = [
      call(0, [list({ prefix: "a/" }, ["a/old", 1]), get("a/x", undefined), set("a/x", 1)]),
      call(10, [list({ prefix: "a/" }, ["a/old", 1], ["a/x", 1])]),
    ];
    const lists = async (ask: Ask, number: number) => {
      if (number === 0) await ask("store.set", { key: "a/é", value: 1 });
      if (number === 0) await ask("store.set", { key: "b", value: 1 });
      return keys(ask, { prefix: "a/" });
    };
    expect(await replay(lines, lists)).toEqual([
      ["a/old", "a/é"],
      ["a/old", "a/é"],
    ]);
  });

  test("is cut at its limit, and not certain where it would need what the recording lacks", async () => {
    const lines = [call(0, [list(page, ["a/2", 1], ["a/3", 1])])];
    const added = async (ask: Ask) => {
      await ask("store.set", { key: "a/1", value: 1 });
      return keys(ask);
    };
    const removed = async (ask: Ask) => {
      await ask("store.delete", { key: "a/2" });
      return keys(ask);
    };
    expect(await replay(lines, added)).toEqual([["a/1", "a/2"]]);
    expect(await replay(lines, removed)).toEqual([["?", ["a/3"]]]);
  });

  test("tells that others have removed a key", async () => {
    const lines = [
      call(0, [get("a/1", undefined), set("a/1", 1)]),
      call(10, [list({ prefix: "a/" })]),
      call(20, []),
    ];
    const writes = (value: number) => async (ask: Ask, number: number) => {
      if (number === 0) await ask("store.set", { key: "a/1", value });
      return read("a/1")(ask);
    };
    expect(await replay(lines, writes(1))).toEqual([1, undefined, undefined]);
    expect(await replay(lines, writes(2))).toEqual([2, ["?", 2], ["?", 2]]);
  });
});

test("values of any depth and keys such as __proto__ are values and keys like others", async () => {
  let deep: unknown = 1;
  for (let level = 0; level < 20_000; level++) deep = [deep];
  const lines = [call(0, [get("__proto__", { b: 1, a: deep }), set("__proto__", 1)]), call(10, [])];
  const found = (await replay(lines, read("__proto__"))) as { b: number; a: unknown[] }[];
  expect(found.map(({ b, a }) => [b, a.length])).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

test("a store that failed in a call fails in it again", async () => {
  const error = { kind: null, message: "no database", data: {} };
  const lines = [call(0, [{ method: "store.get", params: { key: "n" }, error }, set("n", 1)])];
  await expect(replay(lines, read("n"))).rejects.toThrow("no database");
});

test("what a recording with too many keys tells is not kept, and reads of such a key are not certain", async () => {
  const lines = [
    call(0, [get("long key", 1)]),
    call(10, [get("n", undefined), set("n", 1)]),
    call(20, [get("n", 1)]),
  ];
  expect(await replay(lines, add(100), new ReplayedStore(4))).toEqual([
    ["?", 100],
    ["?", 200],
    ["?", 300],
  ]);
  expect(await replay(lines, read("n"), new ReplayedStore(4))).toEqual([
    ["?", undefined],
    undefined,
    undefined,
  ]);
});

// What a RateLimiter tells its module, and what it asks the store.
import { beforeEach, expect, test } from "@jest/globals";
import { LIMITS } from "../../../../bridge/catalogue/protocol.js";
import { RateLimiter } from "../../../../bridge/index.js";
import type { StoreCount } from "../../../../bridge/sdk/storage-types.js";
import { FakeStore } from "../../../../bridge/testing/fake-store.js";

let now: number;
let store: FakeStore;
/** The keys that the store was asked for. */
let asked: string[];

beforeEach(() => {
  now = Date.UTC(2026, 0, 10);
  store = new FakeStore({ now: () => now });
  asked = [];
});

const api = {
  get_current_time_msec: () => now,
  store: {
    increment: async (params: { key: string }) => {
      asked.push(params.key);
      return store.methods["store.increment"]?.("m", params) as StoreCount;
    },
  },
};
const limiter = (more: object = {}) =>
  new RateLimiter(api, { name: "invites", limit: 2, per: "1h", ...more });
const HOUR = 3_600_000;

test("so many are allowed from the first, and then refused until the time is over", async () => {
  const invites = limiter();
  expect(await invites.consume("@a:b")).toEqual({ allowed: true, remaining: 1, retry_after_ms: 0 });
  now += 1_000;
  expect(await invites.consume("@a:b")).toEqual({ allowed: true, remaining: 0, retry_after_ms: 0 });
  expect(await invites.consume("@a:b")).toEqual({
    allowed: false,
    remaining: 0,
    retry_after_ms: HOUR - 1_000,
  });
  expect(await invites.consume("@c:b")).toMatchObject({ allowed: true });
  now += HOUR - 1_001;
  expect(await invites.consume("@a:b")).toEqual({ allowed: false, remaining: 0, retry_after_ms: 1 });
  now += 1;
  expect(await invites.consume("@a:b")).toEqual({ allowed: true, remaining: 1, retry_after_ms: 0 });
});

test("what does not fit is not counted, and less may still fit", async () => {
  const invites = limiter({ limit: 10 });
  expect(await invites.consume("k", 8)).toMatchObject({ allowed: true, remaining: 2 });
  expect(await invites.consume("k", 3)).toEqual({ allowed: false, remaining: 2, retry_after_ms: HOUR });
  expect(await invites.consume("k", 2)).toMatchObject({ allowed: true, remaining: 0 });
  expect(await invites.consume("j", 11)).toEqual({ allowed: false, remaining: 10, retry_after_ms: HOUR });
});

test("a flood of what is refused asks the store no more", async () => {
  const invites = limiter();
  for (let n = 0; n < 1_000; n++) await invites.consume("@a:b");
  expect(asked).toHaveLength(3);
  // Also where nothing at all is allowed.
  expect(await limiter({ limit: 0 }).consume("@z:b")).toEqual({
    allowed: false,
    remaining: 0,
    retry_after_ms: HOUR,
  });
  expect(asked).toHaveLength(3);
});

test("a burst of what is refused asks the store no more than a flood", async () => {
  const invites = limiter();
  const burst = await Promise.all(Array.from({ length: 1_000 }, () => invites.consume("@a:b")));
  expect(burst.filter(({ allowed }) => allowed)).toHaveLength(2);
  expect(asked).toHaveLength(3);
});

test("it remembers 10,000 that are refused, and asks the store about the others", async () => {
  const invites = limiter({ limit: 1 });
  for (let n = 0; n < 10_001; n++) {
    await invites.consume(`@u${n}:b`);
    await invites.consume(`@u${n}:b`);
  }
  asked = [];
  expect((await invites.consume("@u1:b")).allowed).toBe(false);
  expect(asked).toEqual([]);
  expect((await invites.consume("@u0:b")).allowed).toBe(false);
  expect(asked).toEqual(["invites/@u0:b"]);
});

test("a clock that is set back refuses nobody for longer than the time", async () => {
  const invites = limiter();
  for (let n = 0; n < 3; n++) await invites.consume("@a:b");
  now -= 10 * HOUR;
  expect(await invites.consume("@a:b")).toEqual({ allowed: true, remaining: 1, retry_after_ms: 0 });
});

test("another process, or this one after a reload, goes on with the same count", async () => {
  await limiter().consume("@a:b");
  await limiter().consume("@a:b");
  expect(await limiter().consume("@a:b")).toMatchObject({ allowed: false });
  expect(await limiter({ name: "other" }).consume("@a:b")).toMatchObject({ allowed: true });
});

test.each([
  ["empty", ""],
  ["of a length at which the next is digested", "x".repeat(400)],
  ["too long for the store", "x".repeat(600)],
  ["of many bytes", "😀".repeat(300)],
  ["with U+0000", "@a\0:b"],
  ["with a lone surrogate", "@\ud800:b"],
  ["like one that is digested", "#x"],
  ["like one that is shared", "~0000"],
  ["with slashes and odd characters", "@../%00'\"; DROP TABLE users;--/☃:b"],
])("any text is a key of its own: %s", async (_, key) => {
  const invites = limiter({ limit: 1 });
  expect(await invites.consume(key)).toMatchObject({ allowed: true });
  expect(await invites.consume(`${key}.`)).toMatchObject({ allowed: true });
  expect(await invites.consume(key)).toMatchObject({ allowed: false });
});

test("no text is taken for another", async () => {
  const invites = limiter({ limit: 1 });
  await invites.consume("\ud800");
  await invites.consume("\ud801");
  const [digested = ""] = asked;
  expect(await invites.consume(digested.slice("invites/".length))).toMatchObject({ allowed: true });
  expect(new Set(asked).size).toBe(3);
});

test("who makes up keys fills 100,000 rows, and then shares the others", async () => {
  const invites = limiter({ limit: 1 });
  for (let n = 0; n < 100_000; n++) await invites.consume(`@u${n}:b`);
  expect(new Set(asked).size).toBe(100_000);
  asked = [];
  for (let n = 0; n < 1_000; n++) await invites.consume(`@v${n}:b`);
  for (const key of asked) expect(key).toMatch(/^invites\/~[0-9a-f]{4}$/);
  now += HOUR;
  await invites.consume("@w:b");
  expect(asked.at(-1)).toBe("invites/@w:b");
});

test("what the database throws, the module gets", async () => {
  const failing = { ...api, store: { increment: () => Promise.reject(new Error("no database")) } };
  const invites = new RateLimiter(failing, { name: "invites", limit: 2, per: "1h" });
  await expect(invites.consume("@a:b")).rejects.toThrow("no database");
});

test("what is no key is told", async () => {
  await expect(limiter().consume(undefined as unknown as string)).rejects.toThrow("the key must be a string");
});

test.each([
  ["a name with a slash", { name: "a/b" }, "name must be"],
  ["no name", { name: "" }, "name must be"],
  ["half a limit", { limit: 1.5 }, "limit must be"],
  ["less than nothing", { limit: -1 }, "limit must be"],
  ["a limit that is none", { limit: Number.NaN }, "limit must be"],
  ["a limit that the store cannot count to", { limit: LIMITS.store_count + 1 }, "limit must be"],
  ["no time", { per: 0 }, "per must be"],
  ["a time that the store cannot keep", { per: LIMITS.store_ttl_ms + 1 }, "per must be"],
  ["a time that is none", { per: "soon" }, "is no duration"],
])("%s is refused when it is made", (_, more, message) => {
  expect(() => limiter(more)).toThrow(message);
});

test("all that the store takes is a limit", async () => {
  const most = limiter({ limit: LIMITS.store_count, per: LIMITS.store_ttl_ms });
  expect(await most.consume("k", LIMITS.store_count)).toMatchObject({ allowed: true, remaining: 0 });
});

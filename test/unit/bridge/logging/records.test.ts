// What becomes a record, how much of it is kept for a shim that does not read, and what is told of the rest.
import { describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { LIMITS } from "../../../../bridge/catalogue/protocol.js";
import { createLogger } from "../../../../bridge/logging/log.js";
import { PipedRecords } from "../../../../bridge/logging/records.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";

const MOST_LINE = 64 * 1024;

/** A pipe that takes so many bytes, until it is emptied. */
function pipe(room: number) {
  let text = "";
  let left = room;
  const records = new PipedRecords((bytes) => {
    if (left === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
    const taken = bytes.subarray(0, left);
    left -= taken.length;
    text += Buffer.from(taken).toString("latin1");
    return taken.length;
  });
  return {
    records,
    log: createLogger(records),
    open(more = Number.POSITIVE_INFINITY) {
      left = more;
      records.flush(0);
    },
    lines(): Record<string, Record<string, unknown>>[] {
      const all = Buffer.from(text, "latin1").toString().split("\n").slice(0, -1);
      return all.map((line) => JSON.parse(line));
    },
    raw: () => text,
  };
}

describe("records", () => {
  test("are written at once, each a line with its kind", () => {
    const { records, log, lines } = pipe(1_000_000);
    log.child({ module: "m" }).child({ request: "PUT-1" }).warn({ more: 1 }, "words");
    records.printed("text", "m", "PUT-1");
    records.printed("text", null, null);
    records.ends("it called process.exit(3)", "m", 3);
    expect(lines()).toEqual([
      { log: { level: 40, time: expect.any(Number), module: "m", request: "PUT-1", more: 1, msg: "words" } },
      { printed: { module: "m", request: "PUT-1", text: "text" } },
      { printed: { module: null, request: null, text: "text" } },
      { ends: { cause: "it called process.exit(3)", module: "m", code: 3 } },
    ]);
  });

  test("say first what the host says, whatever a module adds", () => {
    const { log, raw } = pipe(1_000_000);
    const content = JSON.parse('{"level":60,"module":"other","request":"PUT-2","ends":{},"msg":"x"}');
    log.child({ module: "m" }).child({ request: "PUT-1" }).info(content);
    expect(raw()).toMatch(/^\{"log":\{"level":30,"time":\d+,"module":"m","request":"PUT-1",/);
  });

  test("are whole lines, however little is taken at a time", () => {
    const { log, open, lines } = pipe(7);
    for (let i = 0; i < 50; i++) log.info(`line ${i} äöü`);
    for (let i = 0; i < 200; i++) open(i);
    open();
    expect(lines().map(({ log }) => log?.msg)).toEqual(Array.from({ length: 50 }, (_, i) => `line ${i} äöü`));
  });

  test("of one module that floods take no room from those of another, and the lost ones are told", () => {
    const { log, open, lines } = pipe(0);
    const flooding = log.child({ module: 'the "loud" one' });
    const quiet = log.child({ module: "quiet" });
    for (let i = 0; i < 400; i++) flooding.info("x".repeat(50_000));
    quiet.error("heard");
    log.error("the host, too");
    open();
    const all = lines();
    const kept = all.filter((line) => line.log?.module === 'the "loud" one').length;
    expect(kept).toBeGreaterThan(30);
    expect(all).toContainEqual({ log: expect.objectContaining({ module: "quiet", msg: "heard" }) });
    expect(all).toContainEqual({ log: expect.objectContaining({ msg: "the host, too" }) });
    expect(all).toContainEqual({ dropped: { module: 'the "loud" one', lines: 400 - kept } });
  });

  test("beyond what is taken of a module in ten seconds are counted, and cost nobody anything", async () => {
    const { records, log, lines } = pipe(10_000_000);
    const loud = log.child({ module: "loud" });
    const now = jest.spyOn(performance, "now").mockReturnValue(1_000);
    try {
      for (let i = 0; i < 30_000; i++) {
        loud.info("x");
        records.printed("x", "loud", null);
      }
      records.printed("heard", "quiet", null);
      loud.info("unheard");
      expect(lines().filter(({ log, printed }) => (log ?? printed)?.module === "loud")).toHaveLength(
        LIMITS.log_lines,
      );
      expect(lines()).toContainEqual({ printed: { module: "quiet", request: null, text: "heard" } });
      const dropped = () => lines().flatMap(({ dropped }) => (dropped ? [dropped] : []));
      expect(dropped()).toEqual([{ module: "loud", lines: 60_000 - LIMITS.log_lines }]);
      // What came after that is told in time, though nothing else is written.
      await waitFor("word of the dropped line", () => dropped().length > 1);
      expect(dropped().at(-1)).toEqual({ module: "loud", lines: 1 });
      now.mockReturnValue(1_000 + LIMITS.log_window_ms);
      loud.info("again");
      expect(lines().at(-1)?.log?.msg).toBe("again");
    } finally {
      now.mockRestore();
    }
  });

  test("of an end come before all that waits, and are never lost", () => {
    const { records, log, open, lines } = pipe(0);
    for (let i = 0; i < 100; i++) log.info("x".repeat(50_000));
    records.ends("it called process.exit(3)", "m", 3);
    open(200);
    // What was under way is first.
    expect(lines().length).toBeLessThanOrEqual(1);
    open();
    const at = lines().findIndex((line) => line.ends);
    expect([0, 1, 2]).toContain(at);
  });

  test("that a thread passes on count for its module, whatever they hold", () => {
    const { records, log, open, lines } = pipe(0);
    const loud = '{"log":{"level":30,"time":1,"module":"loud","request":null,"module":"quiet","msg":"x"}}';
    for (let i = 0; i < 40_000; i++) records.pass(loud);
    records.pass('{"dropped":{"module":"loud","lines":3}}');
    log.child({ module: "quiet" }).info("heard");
    open();
    const all = lines();
    expect(all.filter((line) => line.log?.msg === "heard")).toHaveLength(1);
    const told = all.find((line) => line.dropped);
    expect(told?.dropped?.module).toBe("loud");
    expect(told?.dropped?.lines).toBeGreaterThan(10_000);
  });

  test("are given up once nobody reads", () => {
    const records = new PipedRecords(() => {
      throw Object.assign(new Error("gone"), { code: "EPIPE" });
    });
    for (let i = 0; i < 10; i++) records.printed("x", null, null);
    records.flush();
  });
});

describe("a record that is too long", () => {
  test.each([
    ["in its message", { msg: "\u{1F600}".repeat(50_000) }, "\u{1F600}"],
    ["in many fields", Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])), ""],
    [
      "in its stack",
      { err: Object.assign(new Error("e"), { stack: `Error\n${"    at x\n".repeat(20_000)}` }) },
      "",
    ],
    ["in characters that need an escape", { msg: "\u0000".repeat(40_000) }, "\u0000"],
  ])("%s keeps its level, module and request", (_, fields, start) => {
    const { log, raw, lines } = pipe(10_000_000);
    const { msg = "message", ...rest } = fields as { msg?: string };
    log.child({ module: "m" }).child({ request: "PUT-1" }).error(rest, msg);
    expect(raw().length).toBeLessThan(MOST_LINE);
    const [{ log: record } = {}] = lines();
    expect(record).toMatchObject({ level: 50, module: "m", request: "PUT-1" });
    expect(record?.cut_from_bytes).toBeGreaterThan(MOST_LINE - 10_000);
    expect(String(record?.msg).startsWith(start || "message")).toBe(true);
  });

  test("is cut, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 60_000 }), (unit, times) => {
        const { records, log, raw, lines } = pipe(10_000_000);
        const text = unit.repeat(Math.min(times, Math.ceil(100_000 / Math.max(1, unit.length))));
        log.child({ module: "m" }).info({ text }, text);
        records.printed(text, "m", null);
        for (const line of raw().split("\n")) expect(line.length).toBeLessThan(MOST_LINE);
        const [first, second] = lines();
        expect(first?.log).toMatchObject({ level: 30, module: "m" });
        expect(second?.printed).toMatchObject({ module: "m" });
      }),
      { numRuns: 40 },
    );
  });
});

// What a web handler may answer with, at the limits of HTTP and of the wire.
import { describe, expect, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { LIMITS } from "../../../../bridge/catalogue/protocol.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";
import { readResponse, UnfitResponse } from "../../../../bridge/web/response.js";

const never = new Cancellation(new CancellationTokenSource().token);
const read = (answer: unknown, cancellation = never) => readResponse(answer, cancellation);

/** A Response of another implementation. */
const like = (more: object) => ({ arrayBuffer() {}, status: 200, headers: new Map(), body: null, ...more });
const streamed = async function* (...pieces: unknown[]) {
  yield* pieces;
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("Node's own Response is read whole", async () => {
  const response = new Response("Größe", { status: 418, headers: { "X-Own": "1" } });
  const { status, headers, body } = await read(response);
  expect([status, body]).toEqual([418, base64("Größe")]);
  expect(headers).toContainEqual(["x-own", "1"]);
  await expect(read(Response.error())).rejects.toThrow("answered with the status 0;");
});

describe("a status", () => {
  test.each([200, 204, 205, 304, 404, 599])("of %i is sent", async (status) => {
    expect(await read(like({ status }))).toEqual({ status, headers: [], body: "" });
  });

  test.each([
    [199, "199"],
    [600, "600"],
    [200.5, "200.5"],
    [Number.NaN, "NaN"],
    ["200", '"200"'],
    [undefined, "undefined"],
    ["x".repeat(100), `"${"x".repeat(79)}`],
  ])("of %p is refused", async (status, shown) => {
    const message = `answered with the status ${shown}; expected 200 to 599`;
    await expect(read(like({ status }))).rejects.toThrow(new UnfitResponse(message));
  });

  test.each([204, 205, 304])("of %i has no body", async (status) => {
    await expect(read(like({ status, body: streamed("x") }))).rejects.toThrow(
      new UnfitResponse(`answered ${status} with a body: by HTTP, it can have none`),
    );
    expect(await read(like({ status, body: streamed("") }))).toEqual({ status, headers: [], body: "" });
  });
});

describe("headers", () => {
  const read1 = async (name: unknown, value: unknown) =>
    (await read(like({ headers: [[name, value]] }))).headers;

  test.each([
    ["Connection"],
    ["content-length"],
    ["KEEP-ALIVE"],
    ["Proxy-Connection"],
    ["TE"],
    ["Trailer"],
    ["Transfer-Encoding"],
    ["Upgrade"],
  ])("of the connection are left out: %s", async (name) => {
    expect(await read1(name, "\n")).toEqual([]);
  });

  test.each(["!#$%&'*+.^_`|~-", "azAZ09"])("may have the name %s", async (name) => {
    expect(await read1(name, "x")).toEqual([[name, "x"]]);
  });

  test.each([
    ["", '""'],
    ["a b", '"a b"'],
    ["a:", '"a:"'],
    [" a", '" a"'],
    [5, "5"],
    ["é", '"é"'],
  ])("may not have the name %p", async (name, shown) => {
    await expect(read1(name, "x")).rejects.toThrow(
      new UnfitResponse(`answered with the header ${shown}, which is not a valid name`),
    );
  });

  test.each(["", "\t ~", "\x80\xff"])("may have the value %j", async (value) => {
    expect(await read1("X", value)).toEqual([["X", value]]);
  });

  test.each(["\x1f", "\x7f", "\u0100", "a\nb", "\na", "a\n", "a\0", 5, undefined])(
    "may not have the value %j",
    async (value) => {
      await expect(read1("X", value)).rejects.toThrow(
        new UnfitResponse('answered with a header "X" whose value is not valid'),
      );
    },
  );

  test("may have 65,536 characters together, and no more", async () => {
    const headers = (last: number) => [
      ["aaaa", "b".repeat(60_000)],
      ["cccc", "d".repeat(last)],
    ];
    const most = headers(65_536 - 60_008);
    expect((await read(like({ headers: most }))).headers).toEqual(most);
    await expect(read(like({ headers: headers(65_537 - 60_008) }))).rejects.toThrow(
      new UnfitResponse("answered with headers of more than 65536 characters"),
    );
  });
});

describe("a body", () => {
  const tooLong = `answered with more than ${LIMITS.body_bytes} bytes`;

  test("may come in pieces of text and of bytes", async () => {
    const body = streamed("Grö", Buffer.from("ße"), new Uint8Array([33]));
    expect(await read(like({ body }))).toEqual({ status: 200, headers: [], body: base64("Größe!") });
  });

  test.each([[[104, 105]], [new Uint16Array([104, 105])], [{}], [null]])(
    "may not come in pieces of something else, %#",
    async (piece) => {
      await expect(read(like({ body: streamed("a", piece) }))).rejects.toMatchObject({ name: "TypeError" });
    },
  );

  test("may be as long as the limit", async () => {
    const whole = Buffer.alloc(LIMITS.body_bytes, 97);
    const body = streamed(whole.subarray(1), "a");
    expect((await read(like({ body }))).body === whole.toString("base64")).toBe(true);
  });

  test("that is longer is not read to its end", async () => {
    let given = 0;
    let isEnded = false;
    const endless = async function* () {
      try {
        for (;;) yield Buffer.alloc(given++ === 0 ? LIMITS.body_bytes : 1);
      } finally {
        isEnded = true;
      }
    };
    await expect(read(like({ body: endless() }))).rejects.toThrow(new UnfitResponse(tooLong));
    expect([given, isEnded]).toEqual([2, true]);
  });

  test.each([
    ["whose end fails", { return: () => Promise.reject(new Error("the end failed")) }],
    ["that hangs at its end", { return: () => new Promise(() => {}) }],
    ["that cannot be ended", {}],
  ])("that fails is told by its own error: one %s", async (_, more) => {
    const failing = { next: () => Promise.reject(new Error("unplugged")), ...more };
    const body = { [Symbol.asyncIterator]: () => failing };
    await expect(read(like({ body }))).rejects.toThrow("unplugged");
  });

  test("that hangs is given up when nobody waits for it any more", async () => {
    const source = new CancellationTokenSource();
    let isEnded = false;
    const hanging = {
      next: () => new Promise(() => {}),
      return: async () => {
        isEnded = true;
      },
    };
    const reading = read(
      like({ body: { [Symbol.asyncIterator]: () => hanging } }),
      new Cancellation(source.token),
    );
    source.cancel();
    await expect(reading).rejects.toMatchObject({ kind: "cancelled" });
    expect(isEnded).toBe(true);
  });
});

describe("JSON", () => {
  const headers = [["content-type", "application/json"]];

  test.each([[null], [5], ["x"], [[1]], [{ a: { b: "é" } }], [false]])(
    "may be any value: %j",
    async (value) => {
      expect(await read(value)).toEqual({ status: 200, headers, body: base64(JSON.stringify(value)) });
    },
  );

  test.each([
    { arrayBuffer: () => {}, headers: { entries: 1 } },
    { arrayBuffer: 1, headers: new Map() },
    { arrayBuffer: () => {} },
    { arrayBuffer: () => {}, headers: null },
  ])("is refused where it has half of a Response: %#", async (half) => {
    await expect(read(half)).rejects.toThrow(
      /^answered neither a Response nor JSON: (arrayBuffer|headers) is/,
    );
  });

  test.each([
    [undefined, "it is undefined"],
    [Object.assign(() => {}, like({})), "it is a function"],
    [{ a: new Map() }, "a is a Map"],
  ])("may not be what JSON loses: %p", async (value, problem) => {
    await expect(read(value)).rejects.toThrow(
      new UnfitResponse(`answered neither a Response nor JSON: ${problem}`),
    );
  });

  test("may be as long as the limit, and no longer", async () => {
    const most = "x".repeat(LIMITS.body_bytes - 2);
    expect((await read(most)).body === base64(JSON.stringify(most))).toBe(true);
    const bytes = LIMITS.body_bytes + 1;
    await expect(read(`${most}x`)).rejects.toThrow(
      new UnfitResponse(`answered with ${bytes} bytes; at most ${LIMITS.body_bytes} are sent`),
    );
  });
});

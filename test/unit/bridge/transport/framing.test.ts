// Frames: one write per message, any cut of the stream, and an end to a stream that is out of step.
import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Message } from "vscode-jsonrpc/node";
import {
  bodyOf,
  FrameReader,
  FrameWriter,
  MAX_FRAME,
  sayTooLarge,
} from "../../../../bridge/transport/framing.js";

const message = (text: string): Message => ({ jsonrpc: "2.0", method: "m", params: { text } }) as Message;

function frame(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

function read(chunks: (string | Buffer)[]): Promise<{ messages: Message[]; errors: string[] }> {
  const input = new PassThrough();
  const reader = new FrameReader(input);
  const messages: Message[] = [];
  const errors: string[] = [];
  reader.onError((error) => errors.push(error.message));
  reader.listen((one) => messages.push(one));
  for (const chunk of chunks) input.write(chunk);
  input.end();
  return new Promise((resolve) => reader.onClose(() => resolve({ messages, errors })));
}

test("frames are read however the stream is cut", async () => {
  const wanted = [message("plain"), message("Größe 😀"), message("x".repeat(100_000))];
  const bytes = Buffer.concat(wanted.map(frame));
  for (const size of [1, 7, 1000, bytes.length]) {
    const chunks: Buffer[] = [];
    // One byte at a time, but not for all of the long one.
    for (let at = 0; at < bytes.length; ) {
      const length = at < 500 ? size : Math.max(size, 5000);
      chunks.push(bytes.subarray(at, at + length));
      at += length;
    }
    expect(await read(chunks)).toEqual({ messages: wanted, errors: [] });
  }
});

test.each([
  ["other headers", "Content-Type: x\r\nContent-Length: 000000000000002"],
  ["another case of Content-Length", "content-length: 2"],
  ["no space", "Content-Length:2\r\nX: y"],
  ["several spaces", "Content-Length:   2"],
  ["a header that ends as Content-Length does", "X-Content-Length: 9\r\nContent-Length: 2"],
  ["as many bytes of headers as are read", `X: ${"x".repeat(1024 - 22)}\r\nContent-Length: 2`],
])("%s: the frame is read", async (_, header) => {
  const { messages, errors } = await read([`${header}\r\n\r\n{}`]);
  expect([messages, errors]).toEqual([[{}], []]);
});

test("any header is read behind a long frame of the same chunk", async () => {
  const long = message("x".repeat(5000));
  const { messages, errors } = await read([
    Buffer.concat([frame(long), Buffer.from("content-length:2\r\n\r\n{}")]),
  ]);
  expect([messages, errors]).toEqual([[long, {}], []]);
});

test("what could still become a frame is waited for", async () => {
  for (const part of [
    "x".repeat(1024),
    `Content-Length: ${MAX_FRAME}\r\n\r\n`,
    "Content-Length: 2\r\n\r\n{",
  ]) {
    expect(await read([part])).toEqual({ messages: [], errors: [] });
  }
});

test("what JavaScript would lose in strings and keys is kept", async () => {
  const body = String.raw`{"jsonrpc":"2.0","method":"m","params":{"__proto__":{"a":1},"lone":"\ud800"}}`;
  const { messages } = await read([`Content-Length: ${body.length}\r\n\r\n${body}`]);
  expect(JSON.stringify(messages[0])).toBe(body);
});

const noHeader = (shown: string) =>
  `the stream does not hold a Content-Length header: ${JSON.stringify(shown)}`;
const noMessage = "the stream holds a frame that is not a JSON-RPC message";
const frameOf = (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`;
const unreadable = (start: string) => frameOf(`${start},"method":"m","params":NaN}`);

test.each([
  ["a stray line", "hello\r\n\r\n", noHeader("hello")],
  ["a header without end", "x".repeat(1025), noHeader("x".repeat(80))],
  [
    "a header that ends too late",
    `X: ${"x".repeat(1003)}\r\nContent-Length: 2\r\n\r\n{}`,
    noHeader(`X: ${"x".repeat(77)}`),
  ],
  ["another header with that end", "X-Content-Length: 2\r\n\r\n{}", noHeader("X-Content-Length: 2")],
  ["a negative length", "Content-Length: -1\r\n\r\n", noHeader("Content-Length: -1")],
  ["a length with more behind it", "Content-Length: 2x\r\n\r\n{}", noHeader("Content-Length: 2x")],
  [
    "a length of 16 digits",
    "Content-Length: 1234567890123456\r\n\r\n",
    noHeader("Content-Length: 1234567890123456"),
  ],
  [
    "two lengths",
    "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    noHeader("Content-Length: 1\r\nContent-Length: 2"),
  ],
  [
    "a huge length",
    `Content-Length: ${MAX_FRAME + 1}\r\n\r\n`,
    "a frame of 67108865 bytes is over the limit of 67108864",
  ],
  ["a body that is not JSON", frameOf("{a}"), expect.stringContaining("JSON")],
  ["a batch", frameOf("[]"), noMessage],
  ["null", frameOf("null"), noMessage],
  ["a text", frameOf('"x"'), noMessage],
  [
    "a request that is not JSON, with an id of 16 digits",
    unreadable('{"jsonrpc":"2.0","id":1234567890123456'),
    expect.stringContaining("JSON"),
  ],
  [
    "a request that is not JSON, and begins otherwise",
    unreadable('{ "jsonrpc":"2.0","id":1'),
    expect.stringContaining("JSON"),
  ],
  [
    "a request that is not JSON, behind something else",
    unreadable('x{"jsonrpc":"2.0","id":1'),
    expect.stringContaining("JSON"),
  ],
])("%s ends the stream, and nothing after it is read", async (_, bytes, error) => {
  const { messages, errors } = await read([frame(message("before")), bytes, frame(message("after"))]);
  expect(messages).toEqual([message("before")]);
  expect(errors).toEqual([error]);
});

test.each([
  ["a request", '"method":"m","params":{"n":NaN}', { id: 42, method: "unreadable", params: {} }],
  [
    "a result",
    '"result":[-Infinity]',
    { id: 42, error: { code: -32700, message: "the answer is not JSON" } },
  ],
  [
    "an error",
    '"error":{"code":1,"data":NaN}',
    { id: 42, error: { code: -32700, message: "the answer is not JSON" } },
  ],
])("%s that is not JSON fails alone", async (_, rest, seen) => {
  const body = `{"jsonrpc":"2.0","id":42,${rest}}`;
  const { messages, errors } = await read([frameOf(body), frame(message("after"))]);
  expect(messages).toEqual([{ jsonrpc: "2.0", ...seen }, message("after")]);
  expect(errors).toEqual([]);
});

test("requests are counted, and nothing else", async () => {
  const input = new PassThrough();
  const reader = new FrameReader(input);
  const seen = [reader.requests];
  reader.listen(() => seen.push(reader.requests));
  const one = { jsonrpc: "2.0" };
  for (const more of [{ id: 1, method: "m" }, { method: "m" }, { id: 1, result: 1 }, { id: 2, method: "m" }])
    input.write(frame({ ...one, ...more }));
  await setImmediate();
  expect(seen).toEqual([0, 1, 1, 1, 2]);
});

test("a fault of a stream and its end are told", async () => {
  const input = new PassThrough();
  const reader = new FrameReader(input);
  const output = new PassThrough();
  const writer = new FrameWriter(output);
  const told: unknown[] = [];
  reader.onError((error) => told.push(`reader: ${error.message}`));
  writer.onError(([error]) => told.push(`writer: ${error.message}`));
  const closed = [reader, writer].map((one) => new Promise<void>((resolve) => one.onClose(resolve)));
  reader.listen(() => {});
  input.destroy(new Error("unplugged"));
  output.destroy(new Error("broken"));
  await Promise.all(closed);
  expect(told).toEqual(["reader: unplugged", "writer: broken"]);
});

test("who stops listening ends the stream", () => {
  const input = new PassThrough();
  new FrameReader(input).listen(() => {}).dispose();
  expect(input.destroyed).toBe(true);
});

test.each([
  ["nothing but a header", "x".repeat(1025)],
  ["a length, and a header", `Content-Length: 2\r\nX: ${"x".repeat(1100)}`],
])("%s that does not end is not waited for", async (_, bytes) => {
  expect(await read([bytes])).toEqual({ messages: [], errors: [noHeader(bytes.slice(0, 80))] });
});

function sink(): { writes: Buffer[]; writer: FrameWriter } {
  const writes: Buffer[] = [];
  const output = new Writable({
    write(chunk, _, done) {
      writes.push(chunk);
      done();
    },
  });
  return { writes, writer: new FrameWriter(output) };
}

test("a message is one write", async () => {
  const { writes, writer } = sink();
  await writer.write(message("Größe"));
  expect(writes).toEqual([frame(message("Größe"))]);
});

test("what was written has left when the writer is drained, and the end comes after it", async () => {
  let leave = () => {};
  const left: string[] = [];
  const output = new Writable({
    write(chunk, _, done) {
      leave = () => {
        left.push(String(chunk));
        done();
      };
    },
  });
  const writer = new FrameWriter(output);
  await writer.write(message("a"));
  let drained = false;
  const whole = writer.drained().then(() => {
    drained = true;
  });
  await setImmediate();
  expect(drained).toBe(false);
  leave();
  await setImmediate();
  leave();
  await whole;
  expect(left).toEqual([String(frame(message("a"))), ""]);
  writer.end();
  expect(output.writableEnded).toBe(true);
});

test("a message as large as the limit is sent, and a larger one is not", () => {
  const room = MAX_FRAME - JSON.stringify(message("")).length;
  expect(bodyOf(message("x".repeat(room)), sayTooLarge).length).toBe(MAX_FRAME);
  expect(() => bodyOf(message("x".repeat(room + 1)), sayTooLarge)).toThrow("over the limit");
});

test("an answer over the limit becomes an error, so that its request does not hang", async () => {
  const { writes, writer } = sink();
  await writer.write({ jsonrpc: "2.0", id: 7, result: "x".repeat(MAX_FRAME) } as Message);
  const text = "a message of 67108900 bytes is over the limit of 67108864";
  expect(writes).toEqual([frame({ jsonrpc: "2.0", id: 7, error: { code: -32603, message: text } })]);
  await expect(writer.write(message("x".repeat(MAX_FRAME)))).rejects.toThrow(
    /^a message of \d+ bytes is over the limit of 67108864$/,
  );
  expect(writes).toHaveLength(1);
});

test("an answer that is longer than a string can be becomes an error as well", () => {
  const result = {
    get text(): string {
      throw new RangeError("Invalid string length"); // what JSON.stringify throws at half a gigabyte
    },
  };
  const body = bodyOf({ jsonrpc: "2.0", id: 7, result } as Message, sayTooLarge);
  expect(JSON.parse(body).error.message).toBe("a message of too many bytes is over the limit of 67108864");
});

// Frames: one write per message, any cut of the stream, and an end to a stream that is out of step.
import { PassThrough, Writable } from "node:stream";
import { expect, test } from "@jest/globals";
import type { Message } from "vscode-jsonrpc/node";
import { FrameReader, FrameWriter, MAX_FRAME } from "../../bridge/framing.js";

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

test("other headers and other cases of Content-Length are taken", async () => {
  const { messages, errors } = await read(["Content-Type: x\r\ncontent-length:2\r\n\r\n{}"]);
  expect([messages, errors]).toEqual([[{}], []]);
});

test("what JavaScript would lose in strings and keys is kept", async () => {
  const body = String.raw`{"jsonrpc":"2.0","method":"m","params":{"__proto__":{"a":1},"lone":"\ud800"}}`;
  const { messages } = await read([`Content-Length: ${body.length}\r\n\r\n${body}`]);
  expect(JSON.stringify(messages[0])).toBe(body);
});

test.each([
  ["a stray line", "hello\r\n\r\n", /does not hold a Content-Length header: "hello"/],
  ["a header without end", "x".repeat(2000), /does not hold a Content-Length header/],
  ["a negative length", "Content-Length: -1\r\n\r\n", /does not hold a Content-Length header/],
  ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", /does not hold a Content-Length header/],
  ["a huge length", `Content-Length: ${MAX_FRAME + 1}\r\n\r\n`, /over the limit/],
  ["a body that is not JSON", "Content-Length: 3\r\n\r\n{a}", /JSON/],
  ["a batch", "Content-Length: 2\r\n\r\n[]", /not a JSON-RPC message/],
])("%s ends the stream, and nothing after it is read", async (_, bytes, error) => {
  const { messages, errors } = await read([bytes, frame(message("after"))]);
  expect(messages).toEqual([]);
  expect(errors).toEqual([expect.stringMatching(error)]);
});

test.each([
  ["a request", '"method":"m","params":{"n":NaN}', { id: 7, method: "unreadable", params: {} }],
  ["a result", '"result":[-Infinity]', { id: 7, error: { code: -32700, message: "the answer is not JSON" } }],
  [
    "an error",
    '"error":{"code":1,"data":NaN}',
    { id: 7, error: { code: -32700, message: "the answer is not JSON" } },
  ],
])("%s that is not JSON fails alone", async (_, rest, seen) => {
  const body = `{"jsonrpc":"2.0","id":7,${rest}}`;
  const { messages, errors } = await read([
    `Content-Length: ${body.length}\r\n\r\n${body}`,
    frame(message("after")),
  ]);
  expect(messages).toEqual([{ jsonrpc: "2.0", ...seen }, message("after")]);
  expect(errors).toEqual([]);
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

test("an answer over the limit becomes an error, so that its request does not hang", async () => {
  const { writes, writer } = sink();
  await writer.write({ jsonrpc: "2.0", id: 7, result: "x".repeat(MAX_FRAME) } as Message);
  expect(String(writes[0])).toMatch(
    /"id":7,"error":\{"code":-32603,"message":"a message of \d+ bytes is over the limit/,
  );
  await expect(writer.write(message("x".repeat(MAX_FRAME)))).rejects.toThrow("over the limit");
});

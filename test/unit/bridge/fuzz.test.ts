// Frames and answers under anything that may come: cut streams, noise, and whatever a module could return.
import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Message } from "vscode-jsonrpc/node";
import { readAnswer, UnfitAnswer } from "../../../bridge/calls/answer.js";
import { catalogue } from "../../../bridge/catalogue/catalogue.js";
import { FrameReader } from "../../../bridge/transport/framing.js";

interface Read {
  messages: Message[];
  errors: number;
}

function read(chunks: readonly Uint8Array[]): Promise<Read> {
  const input = new PassThrough();
  const reader = new FrameReader(input);
  const messages: Message[] = [];
  let errors = 0;
  reader.onError(() => {
    errors++;
  });
  reader.listen((one) => messages.push(one));
  for (const chunk of chunks) input.write(chunk);
  input.end();
  return new Promise((resolve) => reader.onClose(() => resolve({ messages, errors })));
}

function frame(value: object): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

/** The bytes in pieces of these sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const messages = fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), { maxLength: 5 });
const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

test("whole frames are found however the stream is cut", () =>
  fc.assert(
    fc.asyncProperty(messages, sizes, async (sent, pieces) => {
      const { messages: got, errors } = await read(cut(Buffer.concat(sent.map(frame)), pieces));
      expect(errors).toBe(0);
      expect(got.map((one) => JSON.stringify(one))).toEqual(sent.map((one) => JSON.stringify(one)));
    }),
  ));

test("noise is told once at most, never throws, and takes nothing from what came before it", () =>
  fc.assert(
    fc.asyncProperty(messages, fc.uint8Array({ maxLength: 3000 }), sizes, async (sent, noise, pieces) => {
      const bytes = Buffer.concat([...sent.map(frame), noise]);
      const { messages: got, errors } = await read(cut(bytes, pieces));
      expect(errors).toBeLessThanOrEqual(1);
      expect(got.slice(0, sent.length).map((one) => JSON.stringify(one))).toEqual(
        sent.map((one) => JSON.stringify(one)),
      );
    }),
  ));

const words = fc.constantFrom(
  "NOT_SPAM",
  "M_FORBIDDEN",
  "M_NOPE",
  "allow",
  "deny",
  "ALLOW",
  "",
  true,
  false,
  null,
);
const oddities = fc.constantFrom<unknown>(
  undefined,
  Number.NaN,
  10n,
  Symbol("x"),
  () => true,
  new Map(),
  new Date(0),
);
const anything = fc.oneof(
  words,
  oddities,
  fc.jsonValue(),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
  fc.tuple(words, fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything())),
  fc.record({ content: fc.anything(), sender: fc.anything() }, { requiredKeys: [] }),
);
const callbacks = [...catalogue().callbacks.values()];

test.each(callbacks.map((callback) => [callback.name, callback] as const))(
  "%s: whatever a module returns is a fit answer that survives JSON, or a fault that says why",
  (_, callback) => {
    const fits = catalogue().validator(callback.result);
    const ignored = ["Nothing", "Edits"].includes(callback.result);
    fc.assert(
      fc.property(anything, (returned) => {
        let answer: unknown;
        try {
          answer = readAnswer(
            callback,
            returned,
            catalogue(),
            () => {},
            () => false,
          );
        } catch (error) {
          expect(error).toBeInstanceOf(UnfitAnswer);
          expect((error as Error).message).toMatch(
            /^answered .*expected |^answered something that is not JSON: /s,
          );
          return;
        }
        expect(ignored ? answer === null : fits(answer)).toBe(true);
        expect(JSON.stringify(JSON.parse(JSON.stringify(answer)))).toBe(JSON.stringify(answer));
      }),
    );
  },
);

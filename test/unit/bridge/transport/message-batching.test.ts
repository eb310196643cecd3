// How many messages the host begins in one turn of the event loop: those that are quick together, and yet others get their
// turn.
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createMessageConnection, type MessageConnection } from "vscode-jsonrpc/node";
import { FrameReader, FrameWriter } from "../../../../bridge/transport/framing.js";
import { batchMessages } from "../../../../bridge/transport/message-batching.js";

let host: MessageConnection;
let input: PassThrough;
/** How many turns of the event loop there were before each message was begun. */
let begun: number[];
/** What happened: `begun` and `answered`, in order. */
let order: string[];
let turns: number;
let turning: NodeJS.Immediate;

function turn(): void {
  turns++;
  turning = setImmediate(turn);
}

beforeEach(() => {
  input = new PassThrough();
  batchMessages();
  const output = new Writable({
    write(_, __, done) {
      order.push("answered");
      done();
    },
  });
  host = createMessageConnection(new FrameReader(input), new FrameWriter(output));
  begun = [];
  order = [];
  turns = 0;
  turn();
});
afterEach(() => {
  clearImmediate(turning);
  host.dispose();
});

async function turnsFor(messages: number, busyMs: number): Promise<number> {
  const all = new Promise<void>((resolve) => {
    host.onRequest("work", () => {
      begun.push(turns);
      order.push("begun");
      const until = performance.now() + busyMs;
      while (performance.now() < until);
      if (begun.length === messages) resolve();
      return null;
    });
  });
  host.listen();
  const body = (id: number) => JSON.stringify({ jsonrpc: "2.0", id, method: "work", params: {} });
  const frames = Array.from({ length: messages }, (_, id) => body(id));
  input.write(frames.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`).join(""));
  await all;
  return new Set(begun).size;
}

test("quick messages share a turn", async () => {
  expect(await turnsFor(200, 0)).toBeLessThan(50);
});

test("what comes in, and timers, have their turn between slow ones", async () => {
  expect(await turnsFor(5, 5)).toBe(5);
});

test("an answer has left before the next message is begun, which may block", async () => {
  await turnsFor(20, 0);
  expect(order.slice(0, 38)).toEqual(Array.from({ length: 38 }, (_, at) => (at % 2 ? "answered" : "begun")));
});

// Recordings that were damaged, made by another version, or made by somebody who means harm.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import { mayFit, type RecordedCall } from "../../../../bridge/recording/format.js";
import { filesOf, newSkipped, readInOrder } from "../../../../bridge/recording/reader.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const at = (second: number) => new Date(second * 1000).toISOString();

function line(second: number, more: object = {}): string {
  return JSON.stringify({
    recording: 1,
    at: at(second),
    module: "m",
    callback: "user_may_invite",
    request: null,
    params: { inviter: "@a:b" },
    verdict: { answer: "NOT_SPAM" },
    ms: 1,
    versions: { bridge: "0.1.0", node: "v1", files: "f", config: "c" },
    synapse: { version: "1", server_name: "b", run_background_tasks: true },
    ...more,
  });
}

async function readAll(given: string) {
  const skipped = newSkipped();
  const lines: RecordedCall[] = [];
  for await (const one of readInOrder(filesOf(given), skipped)) lines.push(one as RecordedCall);
  return { lines, skipped };
}

test("the lines of several files come in the order of their times", async () => {
  folder.write("several/one.jsonl", `${line(1)}\n${line(4)}\n${line(5)}\n`);
  folder.write("several/two.jsonl", `${line(2)}\n${line(3)}\n`);
  folder.write("several/notes.txt", "no recording");
  const { lines } = await readAll(folder.path("several"));
  expect(lines.map((one) => one.at)).toEqual([1, 2, 3, 4, 5].map(at));
});

test("a text with other ends of lines is one line", async () => {
  const text = "a\u2028b\u2029c\u0085d\r\ne\u000bf";
  const file = folder.write("ends.jsonl", `${line(1, { params: { text } })}\n${line(2)}`);
  const { lines, skipped } = await readAll(file);
  expect(lines.map(({ params }) => params)).toEqual([{ text }, { inviter: "@a:b" }]);
  expect(skipped).toEqual(newSkipped());
});

test("characters that are cut by the pieces of a read are whole", async () => {
  const text = "☃".repeat(200_000);
  const file = folder.write("pieces.jsonl", `${line(1, { params: { text } })}\n`);
  expect((await readAll(file)).lines[0]?.params.text).toBe(text);
});

test("a line that was torn by a crash is skipped, and told apart from a broken one", async () => {
  const file = folder.write("torn.jsonl", `${line(1)}\n{"broken\n${line(2)}\n${line(3).slice(0, 100)}`);
  const { lines, skipped } = await readAll(file);
  expect(lines).toHaveLength(2);
  expect(skipped).toEqual({ torn: 1, unreadable: 1, removed: 0 });
});

test.each([
  ["no object", "[1]"],
  ["another object", '{"level":30,"msg":"a log"}'],
  ["no time", line(1, { at: "yesterday" })],
  ["params that are a list", line(1, { params: [] })],
  ["no verdict", line(1, { verdict: {} })],
  ["a verdict that is none", line(1, { verdict: { error: null } })],
  ["a fault that is none", line(1, { verdict: { fault: 5 } })],
  ["an answer of the api that is none", line(1, { api: [{ method: "is_user_admin", params: {} }] })],
  ["an error of the api that is none", line(1, { api: [{ method: "x", error: { message: 1 } }] })],
  ["versions that are no texts", line(1, { versions: { bridge: { toString: 1 } } })],
  ["a time with commands for a terminal", line(1, { at: "2026-01-01 (\u001b[2J)" })],
  ["a duration that is none", line(1).replace('"ms":1', '"ms":1e400')],
  ["a state that is none", line(1, { state: { keys: "some", events: [] } })],
  ["state events that are none", line(1, { state: { keys: "all", events: [1] } })],
  ["an api that is none", line(1, { api: [null] })],
  ["no server", line(1, { synapse: {} })],
  ["a line of ten million characters", line(1, { params: { text: "x".repeat(10_000_000) } })],
  ["bytes that are no text", "\u0000\u0001"],
])("a line with %s is skipped", async (_, text) => {
  const file = folder.write("odd.jsonl", `${text}\n${line(2)}\n`);
  const { lines, skipped } = await readAll(file);
  expect(lines.map((one) => one.at)).toEqual([at(2)]);
  expect(skipped.unreadable).toBe(1);
});

test("a file that was removed in the meantime is skipped and counted", async () => {
  folder.write("live/one.jsonl", `${line(1)}\n`);
  folder.write("live/two.jsonl", `${line(2)}\n`);
  const files = filesOf(folder.path("live"));
  rmSync(folder.path("live/one.jsonl"));
  const skipped = newSkipped();
  const times: string[] = [];
  for await (const one of readInOrder(files, skipped)) times.push(one.at);
  expect([times, skipped]).toEqual([[at(2)], { torn: 0, unreadable: 0, removed: 1 }]);
});

test("keys such as __proto__ are keys like others", async () => {
  const text = line(1).replace('"inviter"', '"__proto__":{"polluted":true},"constructor":1,"inviter"');
  const { lines } = await readAll(folder.write("proto.jsonl", `${text}\n`));
  expect(Object.keys(lines[0]?.params ?? {})).toEqual(["__proto__", "constructor", "inviter"]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("a recording of another version is refused, with its line and the version to use", async () => {
  const other = line(2, { recording: 2, versions: { bridge: "9.9.9" } });
  const file = folder.write("newer.jsonl", `${line(1)}\n${other}\n`);
  await expect(readAll(file)).rejects.toThrow(
    /newer\.jsonl:2: this line has the format 2, and this command reads the format 1: .*\("9\.9\.9"\)$/,
  );
});

test("a pipe is refused, since it could be read only once", () => {
  execFileSync("mkfifo", [folder.path("pipe.jsonl")]);
  folder.write("with-folder/one.jsonl/x", "");
  for (const given of ["pipe.jsonl", "with-folder"])
    expect(() => filesOf(folder.path(given))).toThrow(
      /is a pipe.*it is read twice, so write it to a file first$/,
    );
  expect(() => filesOf("/dev/fd/12345")).toThrow(/^there is no recording \/dev\/fd\/12345: it is read twice/);
});

test.each([
  ["nothing", "there is no recording"],
  ["empty-folder", "has no recording: no file there ends with .jsonl"],
])("%s is refused with a reason", (name, message) => {
  folder.write("empty-folder/other.txt", "");
  expect(() => filesOf(folder.path(name))).toThrow(message);
});

describe("mayFit", () => {
  const nested = (depth: number) => {
    let value: unknown = 1;
    for (let level = 0; level < depth; level++) value = [value];
    return value;
  };

  test.each([
    ["a short object", { a: "b" }, true],
    ["a long text", "x".repeat(2000), false],
    ["a long key", { ["x".repeat(2000)]: 1 }, false],
    ["many values", Array(2000).fill(0), false],
    ["many keys", Object.fromEntries(Array.from({ length: 2000 }, (_, key) => [key, null])), false],
    ["a deep list", nested(100_000), false],
    ["nothing", undefined, true],
  ])("tells of %s whether it is short", (_, value, fits) => {
    expect(mayFit(value, 1000)).toBe(fits);
  });
});

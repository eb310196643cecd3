// What is written into the folder of recordings, how much of it stays, and what happens when the disk fails.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Recording } from "../../../../bridge/catalogue/protocol.js";
import { createLogger } from "../../../../bridge/logging/log.js";
import { prepareFolder, RecordingWriter } from "../../../../bridge/recording/writer.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { type Folder, temporaryFolder } from "../../../support/temporary-folder.js";

const MIB = 1024 * 1024;
const DAY = 86_400_000;

let parent: Folder;
let folder: string;
let logged: { level: number; msg: string }[];
beforeEach(() => {
  parent = temporaryFolder();
  folder = parent.path("recordings");
  logged = [];
});
afterEach(() => parent.remove());

const log = createLogger({ write: (line: string) => void logged.push(JSON.parse(line)) });

function writer(settings: Partial<Recording> = {}, worker = "main"): RecordingWriter {
  expect(prepareFolder(folder)).toBeUndefined();
  const whole = { folder, callbacks: [], keep_ms: 7 * DAY, limit_bytes: 1024 * MIB, ...settings };
  return new RecordingWriter({ settings: whole, worker, log, retry: 300 });
}

const files = () => readdirSync(folder).sort();
const textOf = (name: string) => readFileSync(path.join(folder, name), "utf8");
const bytes = () => files().reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);

describe("the folder", () => {
  test("is made with its parents, for its owner alone", () => {
    folder = parent.path("a/b/recordings");
    expect(prepareFolder(folder)).toBeUndefined();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test.each([
    [
      "open to others",
      () => mkdirSync(folder) ?? chmodSync(folder, 0o755),
      /is open to other users.*chmod 700/,
    ],
    ["below a file", () => void writeFileSync(folder, ""), /cannot be made or read/],
  ])("is refused if it is %s", (_, make, message) => {
    make();
    if (_ === "below a file") folder = path.join(folder, "below");
    expect(prepareFolder(folder)).toMatch(message);
  });

  test("that is only examined is not made, and may belong to another user", () => {
    expect(prepareFolder(folder, true)).toBeUndefined();
    expect(readdirSync(parent.root)).toEqual([]);
    mkdirSync(folder, { mode: 0o750 });
    expect(prepareFolder(folder, true)).toMatch(/is open to other users/);
  });
});

describe("files", () => {
  test("have the lines in their order, and nobody else may read them", async () => {
    const one = writer();
    one.write("first");
    one.write("second");
    await one.close();
    const [name = "", ...others] = files();
    expect(others).toEqual([]);
    expect(name).toMatch(new RegExp(`^main\\.\\d+\\.${process.pid}\\.0\\.jsonl$`));
    expect(textOf(name)).toBe("first\nsecond\n");
    expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test("are not made before there is something to write", async () => {
    await writer().close();
    expect(files()).toEqual([]);
  });

  test("of two writers are never the same, also if they begin at the same time with the same name", async () => {
    const both = [writer(), writer()];
    for (let line = 0; line < 200; line++) both[line % 2]?.write(`${line % 2}`.repeat(50));
    await Promise.all(both.map((one) => one.close()));
    expect(files()).toHaveLength(2);
    for (const name of files()) expect(new Set(textOf(name).replaceAll("\n", "")).size).toBe(1);
  });

  test("have a name that stays within the folder, whatever the worker is called", async () => {
    const one = writer({}, "../../odd worker\n");
    one.write("line");
    await one.close();
    expect(files()).toEqual([expect.stringMatching(/^______odd_worker_\.\d+\.\d+\.0\.jsonl$/)]);
  });

  test("begin with the heads, except the first, which has them as lines", async () => {
    const one = writer({ limit_bytes: MIB });
    one.setHead("a\n1", "head of a");
    one.setHead("b\n1", "head of b");
    for (let line = 0; line < 3; line++) {
      one.write("x".repeat(70_000));
      await waitFor("a file", () => files().length === line + 1);
      await waitFor("the line", () => bytes() > (line + 1) * 70_000);
      if (line === 1) one.dropHeads("a\n");
    }
    await one.close();
    expect(files().map((name) => textOf(name).replaceAll(/x+/g, "x"))).toEqual([
      "head of a\nhead of b\nx\n",
      "head of a\nhead of b\nx\n",
      "head of b\nx\n",
    ]);
  });
});

describe("limits", () => {
  test("the oldest files go when there is too much, those of other writers too", async () => {
    mkdirSync(folder, { mode: 0o700 });
    const old = `other.${Date.now() - DAY}.1.0.jsonl`;
    writeFileSync(path.join(folder, old), "y".repeat(MIB / 2));
    const one = writer({ limit_bytes: MIB });
    let most = 0;
    for (let line = 0; line < 100; line++) {
      const before = bytes();
      one.write("x".repeat(30_000));
      await waitFor("the line", () => bytes() !== before);
      most = Math.max(most, bytes());
    }
    await one.close();
    expect(files()).not.toContain(old);
    expect(most).toBeLessThanOrEqual(MIB);
    expect(bytes()).toBeGreaterThan(MIB / 2);
  });

  test("files that were begun too long ago go, whatever is written into them", async () => {
    mkdirSync(folder, { mode: 0o700 });
    const [old, young] = [8, 6].map((days) => `other.${Date.now() - days * DAY}.1.0.jsonl`) as [
      string,
      string,
    ];
    for (const name of [old, young]) writeFileSync(path.join(folder, name), "line\n");
    const one = writer();
    one.write("line");
    await one.close();
    expect(files()).toContain(young);
    expect(files()).not.toContain(old);
  });

  test("files that were begun while the clock was wrong go", async () => {
    mkdirSync(folder, { mode: 0o700 });
    const future = `other.${Date.now() + 900 * DAY}.1.0.jsonl`;
    writeFileSync(path.join(folder, future), "line\n");
    const one = writer();
    one.write("line");
    await one.close();
    expect(files()).toHaveLength(1);
    expect(files()).not.toContain(future);
  });

  test("heads count like lines", async () => {
    const one = writer({ limit_bytes: MIB });
    one.setHead("a\n1", "h".repeat(50_000));
    const sizes = () =>
      files()
        .map((name) => [name, statSync(path.join(folder, name)).size])
        .join();
    let most = 0;
    for (let line = 0; line < 60; line++) {
      const before = sizes();
      one.write("x".repeat(20_000));
      await waitFor("the line", () => sizes() !== before);
      most = Math.max(most, bytes());
    }
    await one.close();
    expect(most).toBeLessThanOrEqual(MIB);
    for (const name of files()) expect(textOf(name).length).toBeLessThan(150_000);
  });

  test("other files in the folder stay", async () => {
    mkdirSync(folder, { mode: 0o700 });
    const others = [
      "notes.txt",
      "mine.jsonl",
      "main.1.2.jsonl",
      `main.${Date.now() - 900 * DAY}.1.0.jsonl.gz`,
    ];
    for (const name of others) writeFileSync(path.join(folder, name), "y".repeat(MIB));
    const one = writer({ limit_bytes: MIB });
    one.write("line");
    await one.close();
    for (const name of others) expect(files()).toContain(name);
  });

  test("a writer whose file was removed goes on in another", async () => {
    const one = writer();
    one.write("before");
    const [name = ""] = await waitFor("the line", () => (bytes0(folder) > 0 ? files() : false));
    rmSync(path.join(folder, name));
    one.write("after");
    await one.close();
    expect(files().map(textOf)).toEqual(["after\n"]);
  });
});

const bytes0 = (at: string) =>
  readdirSync(at).reduce((sum, name) => sum + statSync(path.join(at, name)).size, 0);

describe("a disk that fails", () => {
  test("is told once, and the log says how many calls are missing, and when it goes on", async () => {
    const one = writer();
    one.write("before");
    await waitFor("the line", () => bytes() > 0);
    rmSync(folder, { recursive: true });
    one.write("lost");
    await waitFor("the error", () => logged.length > 0);
    for (let line = 0; line < 5; line++) one.write("lost, too");
    prepareFolder(folder);
    await waitFor("the next file", () => {
      one.write("after");
      return files().length > 0 && bytes() > 0;
    });
    await one.close();
    expect(files().map((name) => new Set(textOf(name).trimEnd().split("\n")))).toEqual([new Set(["after"])]);
    const errors = logged.filter(({ level }) => level === 50);
    expect(errors.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        /recording into .* has stopped: ENOENT.*goes on when the folder can be written again/,
      ),
    ]);
    expect(logged.map(({ msg }) => msg)).toContain(`calls are recorded again in ${folder}`);
    expect(logged.map(({ msg }) => msg).join()).toMatch(
      /some calls were not recorded: \d+: the disk does not take them/,
    );
  });

  test("does not fill the memory: what waits is bounded, and the rest is counted", async () => {
    const one = writer();
    const line = "x".repeat(MIB);
    // In one turn of the event loop, so that nothing can be written in between.
    for (let count = 0; count < 40; count++) one.write(line);
    await one.close();
    expect(bytes()).toBeLessThanOrEqual(17 * MIB);
    expect(logged.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/^some calls were not recorded: 2\d: the disk is too slow$/),
    ]);
  });
});

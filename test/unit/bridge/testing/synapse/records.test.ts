// How the bridge's log is read while it grows.
import { appendFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Records } from "../../../../../bridge/testing/synapse/records.js";
import { type Folder, temporaryFolder } from "../../../../support/temporary-folder.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const write = (...logs: string[]) =>
  appendFileSync(folder.path("log"), logs.map((log) => `${JSON.stringify({ log })}\n`).join(""));
const texts = (records: ReturnType<Records["all"]>) => records.map(({ log }) => log);

test("only what comes after its beginning is read, and only whole lines", () => {
  write("before");
  const records = new Records(folder.path("log"));
  write("a");
  appendFileSync(folder.path("log"), '{"log":');
  expect(texts(records.all())).toEqual(["a"]);
  const count = records.count();
  appendFileSync(folder.path("log"), '"b"}\n');
  expect([texts(records.after(count)), texts(records.all())]).toEqual([["b"], ["a", "b"]]);
});

test("where some are kept, old ones go, and those after a moment are still those", () => {
  const records = new Records(folder.path("log"), 2);
  write("a", "b", "c");
  const count = records.count();
  write("d", "e");
  expect(texts(records.after(count))).toEqual(["d", "e"]);
  expect(texts(records.all())).toEqual(["d", "e"]);
  write("f");
  expect([records.count(), texts(records.after(count))]).toEqual([6, ["d", "e", "f"]]);
});

// Temporary folders: those of processes that have died are removed, and no others.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { temporaryFolder as kitFolder } from "../../../../../bridge/testing/synapse/folders.js";
import { type Folder, temporaryFolder } from "../../../../support/temporary-folder.js";

let folder: Folder;
/** What the folder of a living process says of its owner. */
let living: { pid: number; started: string; place: string };

beforeEach(() => {
  folder = temporaryFolder();
  const own = kitFolder(folder.root);
  living = JSON.parse(readFileSync(join(own.path, "owner.json"), "utf8"));
  own.remove();
});
afterEach(() => {
  folder.remove();
});

/** The id of a process that has ended. */
const ended = () => spawnSync("true").pid;

test.each([
  ["a process that has ended", () => ({ ...living, pid: ended() }), false],
  ["an earlier process of the same number", () => ({ ...living, started: "1" }), false],
  ["a process that lives", () => living, true],
  ["a process of another container", () => ({ ...living, pid: ended(), place: "elsewhere pid:[1]" }), true],
])("a folder of %s", (_, owner, stays) => {
  const path = join(folder.root, "synapse-under-test-x");
  mkdirSync(path);
  writeFileSync(join(path, "owner.json"), JSON.stringify(owner()));
  kitFolder(folder.root).remove();
  expect(existsSync(path)).toBe(stays);
});

test("a folder whose owner is not written yet stays for a minute; other folders stay", () => {
  const path = join(folder.root, "synapse-under-test-x");
  mkdirSync(path);
  mkdirSync(join(folder.root, "other"));
  kitFolder(folder.root).remove();
  expect(existsSync(path)).toBe(true);
  const old = Date.now() / 1000 - 100;
  utimesSync(path, old, old);
  kitFolder(folder.root).remove();
  expect([existsSync(path), existsSync(join(folder.root, "other"))]).toEqual([false, true]);
});

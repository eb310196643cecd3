import { appendFileSync, symlinkSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Saves } from "../../../../bridge/command/dev-watch.js";
import { type Folder, temporaryFolder } from "../../../support/temporary-folder.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
  folder.write("project/policy.ts", "1");
});
afterEach(() => folder.remove());

test("what is written into the folder of the data is no save", async () => {
  folder.write("project/data/homeserver.yaml", "{}");
  const saves = new Saves([folder.path("project")], [folder.path("project/data")]);
  folder.write("project/data/homeserver.yaml", "{ }");
  folder.write("project/data/more/log.yaml", "{}");
  folder.write("project/policy.ts", "22");
  expect(await saves.next()).toEqual([folder.path("project/policy.ts")]);
}, 60_000);

test("a module is watched also beside thousands of files", async () => {
  for (let file = 0; file < 5_100; file++) folder.write(`project/a/data/${file}.json`, "");
  folder.write("project/src/deep/own.ts", "1");
  const saves = new Saves(["project/src/deep/own.ts", "project/src/deep", "project"].map(folder.path));
  folder.write("project/src/deep/own.ts", "22");
  folder.write("project/src/deep/new.ts", "1");
  const saved = ["new.ts", "own.ts"].map((name) => folder.path(`project/src/deep/${name}`));
  expect(await saves.next()).toEqual(expect.arrayContaining(saved));
}, 60_000);

test("something that is written all the time keeps no save back", async () => {
  const saves = new Saves([folder.path("project")]);
  let size = 0;
  const always = setInterval(() => folder.write("project/log.json", "x".repeat(++size)), 5);
  try {
    folder.write("project/policy.ts", "22");
    expect(await saves.next()).toContain(folder.path("project/policy.ts"));
  } finally {
    clearInterval(always);
  }
}, 60_000);

test("links that lead nowhere, or in a circle, are passed over", async () => {
  symlinkSync("nothing.ts", folder.path("project/broken.ts"));
  symlinkSync("circle.ts", folder.path("project/circle.ts"));
  symlinkSync(".", folder.path("project/again"));
  const saves = new Saves([folder.path("project")]);
  folder.write("project/policy.ts", "22");
  expect(await saves.next()).toEqual([folder.path("project/policy.ts")]);
}, 60_000);

test("what is watched later counts from then on, and no save of the others is lost", async () => {
  folder.write("other/added.ts", "1");
  const saves = new Saves([folder.path("project")]);
  appendFileSync(folder.path("project/policy.ts"), "2");
  saves.watch([folder.path("project"), folder.path("other")]);
  expect(await saves.next()).toEqual([folder.path("project/policy.ts")]);
  appendFileSync(folder.path("other/added.ts"), "2");
  expect(await saves.next()).toEqual([folder.path("other/added.ts")]);
  saves.watch([folder.path("project")]);
  appendFileSync(folder.path("other/added.ts"), "3");
  appendFileSync(folder.path("project/policy.ts"), "3");
  expect(await saves.next()).toEqual([folder.path("project/policy.ts")]);
}, 60_000);

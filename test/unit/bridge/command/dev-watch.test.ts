import { appendFileSync } from "node:fs";
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
  const saves = new Saves([folder.path("project")], folder.path("project/data"));
  folder.write("project/data/homeserver.yaml", "{ }");
  folder.write("project/data/more/log.yaml", "{}");
  folder.write("project/policy.ts", "22");
  expect(await saves.next()).toEqual([folder.path("project/policy.ts")]);
}, 10_000);

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
}, 10_000);

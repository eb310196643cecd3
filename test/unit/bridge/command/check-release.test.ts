// What `check --synapse` tells that a release lacks: here of the ModuleApi. check-options.test.ts has the callbacks.
import { expect, test } from "@jest/globals";
import { type ApiMethod, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { findLacking } from "../../../../bridge/command/check-release.js";

function notesAbout(name: string, changes: Partial<ApiMethod>): string[] {
  const method = catalogue().methods.get(name);
  if (method === undefined) throw new Error(`no method ${name}`);
  const methods = new Map([[name, { ...method, ...changes }]]);
  return findLacking("1.120.0", [], { ...catalogue(), methods }).notes;
}

test.each<[what: string, changes: Partial<ApiMethod>, notes: string[]]>([
  ["a method that it has", { since: "1.120.0", params_since: { room_id: "1.120.0" } }, []],
  [
    "one that came later",
    { since: "1.121.0" },
    ["Synapse 1.120.0 lacks api.delete_room, which came with 1.121.0: a call of it fails"],
  ],
  ["one that came later, which Node answers", { since: "1.121.0", access: "sync" }, []],
  [
    "a parameter that came later",
    { params_since: { room_id: "1.121.0" } },
    ["Synapse 1.120.0 has api.delete_room without room_id, which came with 1.121.0: a call with it fails"],
  ],
])("%s", (_, changes, notes) => {
  expect(notesAbout("delete_room", changes)).toEqual(notes);
});

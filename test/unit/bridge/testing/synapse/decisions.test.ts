// Which decisions a test gets, and that a misspelt filter is refused: it would find nothing for ever.
import { appendFileSync } from "node:fs";
import { afterAll, expect, test } from "@jest/globals";
import { type DecisionFilter, decisions } from "../../../../../bridge/testing/synapse/decisions.js";
import { Records } from "../../../../../bridge/testing/synapse/records.js";
import { temporaryFolder } from "../../../../support/temporary-folder.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const records = new Records(folder.path("bridge.jsonl"));
for (const [time, outcome] of Object.entries({ 1: "refused", 2: "allowed" }))
  appendFileSync(
    folder.path("bridge.jsonl"),
    `${JSON.stringify({
      ...{ time: Number(time), level: "INFO", namespace: "synapse_module_bridge.decision", log: "" },
      ...{ callback: "user_may_invite", module_name: "limits", outcome, user: "@a:x", ms: 1 },
    })}\n`,
  );

test.each<[DecisionFilter, string[]]>([
  [{}, ["refused"]],
  [{ callback: "user_may_invite", module: "limits", user: "@a:x" }, ["refused"]],
  [{ outcome: "allowed" }, ["allowed"]],
  [{ callback: "user_may_join_room" }, []],
  [{ since: 1_500 }, []],
])("%j gives %j", async (filter, outcomes) => {
  expect((await decisions(records, filter)).map(({ outcome }) => outcome)).toEqual(outcomes);
});

test.each([
  [{ outcome: "refuse" }, "decisions: there is no outcome refuse (did you mean refused?)"],
  [
    { callback: "user_may_invit" },
    "decisions: there is no callback user_may_invit (did you mean user_may_invite?)",
  ],
  [{ rom: "!r:x" }, "decisions: there is no key rom (did you mean room?)"],
  [{ since: "yesterday" }, "decisions: since: yesterday is no time"],
])("%j is refused", async (filter, reason) => {
  await expect(decisions(records, filter as DecisionFilter)).rejects.toThrow(reason);
});

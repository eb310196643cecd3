// What `match` lets through in the authors' kit: the same as the shim, by cases that both read.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Match } from "../../../../bridge/catalogue/protocol.js";
import { matches } from "../../../../bridge/shim-rules/match.js";

interface Cases {
  questions: Record<string, { callback: string; params: Record<string, unknown> }>;
  cases: [question: string, match: Match, expected: boolean][];
}

const { questions, cases }: Cases = JSON.parse(
  readFileSync(new URL("../../match-cases.json", import.meta.url), "utf8"),
);

test.each(cases)("%s, %j: %s", (name, match, expected) => {
  const { callback, params } = questions[name] ?? { callback: "", params: {} };
  const declared = catalogue().callbacks.get(callback);
  if (!declared) throw new Error(`there is no callback ${callback}`);
  expect(matches(declared, match, params, "test")).toBe(expected);
});

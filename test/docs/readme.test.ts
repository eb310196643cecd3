// The README stays short: who opens it wants to know in a minute what this is.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

test("the README has at most 100 lines", () => {
  const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(100);
});

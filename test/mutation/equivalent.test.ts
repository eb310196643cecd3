// The lists of `npm run mutate` name files that there are, and changes of lines that these files have.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { ROOT } from "../../scripts/generate/sources.js";

const read = (name: string) => JSON.parse(readFileSync(`${ROOT}test/mutation/${name}`, "utf8"));
const targets: Record<string, string[]> = read("targets.json");
const equivalents: Record<string, { was: string }[]> = read("equivalent.json");

test("every file to mutate, and every test of it, is there", () => {
  const named = [...Object.keys(targets), ...Object.values(targets).flat()];
  expect(named.filter((path) => !existsSync(ROOT + path))).toEqual([]);
  expect(Object.keys(equivalents).filter((file) => !(file in targets))).toEqual([]);
});

// Whether the change itself is still made, only `npm run mutate` can tell: it fails for a stale entry.
test.each(Object.keys(equivalents))("%s has the lines of its equivalent changes", (file) => {
  const lines = readFileSync(ROOT + file, "utf8").split("\n");
  const joined = ` ${lines.map((line) => line.trim()).join(" ")} `;
  const stale = equivalents[file]?.filter(({ was }) => was !== "" && !joined.includes(` ${was} `));
  expect(stale).toEqual([]);
});

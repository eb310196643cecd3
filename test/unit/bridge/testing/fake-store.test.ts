// The store of the authors' kit does what the shim's store does, by cases that both read.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { FakeStore } from "../../../../bridge/testing/fake-store.js";

interface Step {
  after_ms?: number;
  method: string;
  params: Record<string, unknown>;
  answer?: unknown;
  error?: string;
}

const shared: { cases: Record<string, Step[]> } = JSON.parse(
  readFileSync(new URL("../../store-cases.json", import.meta.url), "utf8"),
  (_, value) => {
    const [, letter = "", times] = (typeof value === "string" && /^(.)\*(\d+)$/u.exec(value)) || [];
    return times === undefined ? value : letter.repeat(Number(times));
  },
);

test.each(Object.entries(shared.cases))("%s", (_, steps) => {
  let now = 0;
  const store = new FakeStore({ now: () => now });
  for (const { after_ms = 0, method, params, answer, error } of steps) {
    now += after_ms;
    const ask = () => store.methods[`store.${method}`]?.("module", params);
    if (error === undefined) expect(ask()).toEqual(answer);
    else expect(ask).toThrow(error);
    expect(store.methods["store.list"]?.("other", {})).toEqual([]);
  }
});

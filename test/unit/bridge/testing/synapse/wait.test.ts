// How tests wait for what Synapse does in the background.
import { afterEach, expect, jest, test } from "@jest/globals";
import { waitFor } from "synapse-module-bridge/testing/synapse";

afterEach(() => {
  jest.useRealTimers();
});

test("it asks until there is an answer", async () => {
  let asked = 0;
  expect(await waitFor("the third", () => ++asked === 3 && "here")).toBe("here");
});

test("it gives up, and says on what, also under a runner's fake timers", async () => {
  jest.useFakeTimers();
  await expect(waitFor("a miracle", () => undefined, 50)).rejects.toThrow(
    "waited 50 ms in vain for a miracle",
  );
});

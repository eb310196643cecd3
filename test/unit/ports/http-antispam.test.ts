// A token that fetch would refuse, and tell in an error, keeps the port of synapse-http-antispam from starting.
import { expect, test } from "@jest/globals";
import { createTester } from "synapse-module-bridge/testing";
import module from "../../../examples/http-antispam.js";

const start = (authorization: string) =>
  createTester(module, { config: { base_url: "http://127.0.0.1:9", authorization } });

test.each([
  ["of two lines", "first\nsecond"],
  ["with a character that is not ASCII", "secret☃"],
])("a token %s is refused at the start, and not told", async (_, token) => {
  const problem = await start(token).then(
    () => "",
    (error) => String(error?.stack),
  );
  expect(problem).toContain("characters that no header can have");
  for (const part of token.split("\n")) expect(problem).not.toContain(part);
});

test("a token with spaces is one", async () => {
  await expect(start("the antispam server's token")).resolves.toBeDefined();
});

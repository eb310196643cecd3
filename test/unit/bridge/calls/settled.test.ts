// What an entry is told once its handler has settled: its own context, and what has become of the call.
import { expect, test } from "@jest/globals";
import type { Call } from "../../../../bridge/catalogue/protocol.js";
import type { Entry, Handler } from "../../../../bridge/declarations/module.js";
import { CallError } from "../../../../bridge/transport/call-error.js";
import { INVITE } from "../samples.js";
import { askModule } from "./one-module.js";

type Context = { reason(text: string): void };

/** What the entry of a module is told, and the context that its handler got. */
async function told(
  name: string,
  params: Call["params"],
  handler: (params: never, context: Context) => unknown,
) {
  const outcomes: unknown[] = [];
  const contexts: unknown[] = [];
  const entry = {
    handler: (given: never, context: Context) => {
      contexts.push(context);
      return handler(given, context);
    },
    settled: (...outcome: unknown[]) => outcomes.push(outcome),
  };
  await askModule(name, params, entry as unknown as Entry).catch(() => undefined);
  expect(contexts).toHaveLength(1);
  return { outcomes, context: contexts[0] };
}

test("the answer, and the reason that the handler gave", async () => {
  const { outcomes, context } = await told("user_may_invite", INVITE, (_, { reason }) => {
    reason("too many");
    return "M_FORBIDDEN";
  });
  expect(outcomes).toStrictEqual([[context, { answer: "M_FORBIDDEN", reason: "too many" }]]);
});

test("no reason where it gave none", async () => {
  const { outcomes, context } = await told("user_may_invite", INVITE, () => "NOT_SPAM");
  expect(outcomes).toStrictEqual([[context, { answer: "NOT_SPAM", reason: undefined }]]);
});

test("what it has edited", async () => {
  const edit = ({ request_content }: { request_content: object }) =>
    void Object.assign(request_content, { topic: "tea" });
  const params = { requester: {}, request_content: { name: "den" }, is_requester_admin: false };
  const { outcomes, context } = await told("on_create_room", params, edit as Handler);
  expect(outcomes).toStrictEqual([[context, { answer: { name: "den", topic: "tea" }, reason: undefined }]]);
});

test("its failure", async () => {
  const { outcomes, context } = await told("user_may_invite", INVITE, () => {
    throw new Error("oops");
  });
  expect(outcomes).toStrictEqual([[context, { failure: expect.any(CallError), reason: undefined }]]);
  expect(outcomes).toMatchObject([[{}, { failure: { message: "m: user_may_invite threw Error: oops" } }]]);
});

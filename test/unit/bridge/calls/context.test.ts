// The context that a handler gets: what modules may do with it, and that it costs little.
import { expect, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { makeContext, type RunningModule } from "../../../../bridge/calls/context.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";

type Context = Record<"config" | "data" | "api" | "signal" | "log", unknown>;

function contextOf(request: string) {
  const { token } = new CancellationTokenSource();
  const made: object[] = [];
  const log = { child: (bindings: object) => made[made.push(bindings) - 1] };
  const running = { module: { config: { limit: 1 } }, api: {}, log } as unknown as RunningModule;
  const context = makeContext(running, "data", new Cancellation(token), request) as Context;
  return { context, made };
}

test("a copy of the context, and an object that inherits from it, have all that it has", () => {
  const { context, made } = contextOf("PUT-1");
  const copy = { ...context };
  expect(Object.keys(copy)).toEqual(["config", "data", "api", "reason", "signal", "log"]);
  const heir = Object.create(context) as Context;
  for (const key of ["signal", "log"] as const) {
    expect(copy[key]).toBe(context[key]);
    expect(heir[key]).toBe(context[key]);
  }
  expect(made).toEqual([{ request: "PUT-1" }]);
});

test("neither a signal nor a log is made where a handler uses none, and no functions for them", () => {
  const [first, second] = [contextOf("PUT-1"), contextOf("PUT-2")];
  expect([first.made, second.made]).toEqual([[], []]);
  for (const key of ["signal", "log"]) {
    const [one, other] = [first, second].map(({ context }) => Object.getOwnPropertyDescriptor(context, key));
    expect(one?.get).toBeInstanceOf(Function);
    expect(one?.get).toBe(other?.get);
  }
});

// A module of the main thread: when it is asked, and what is told of calls of the api that it leaves behind.
import { describe, expect, jest, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { currentOrigin } from "../../../../bridge/module-api/origin.js";
import { moduleUnavailable } from "../../../../bridge/transport/call-error.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";
import { INVITE } from "../rig.js";
import { askModule } from "./one-module.js";

/** A handler that takes what `setup` has returned for its answer. */
const handler = (_: object, context: object) => (context as { data: unknown }).data;

describe("a handler is asked", () => {
  test("once the setup of its module has succeeded, with what that has returned", async () => {
    const cancellation = new Cancellation(new CancellationTokenSource().token);
    const ready = jest.fn(async () => "M_FORBIDDEN");
    const setup = { done: false, data: "NOT_SPAM", ready };
    const { answer } = await askModule("user_may_invite", INVITE, { handler }, { setup, cancellation });
    expect(answer).toBe("M_FORBIDDEN");
    expect(ready.mock.calls).toStrictEqual([[cancellation]]);
  });

  test("at once where its module is set up", async () => {
    const setup = { done: true, data: "M_FORBIDDEN", ready: () => Promise.reject(new Error("waited")) };
    expect(await askModule("user_may_invite", INVITE, { handler }, { setup })).toMatchObject({
      answer: "M_FORBIDDEN",
      module: "m",
    });
  });

  test("not at all where the setup of its module has failed", async () => {
    const failure = moduleUnavailable("m", "its setup has not succeeded yet");
    const setup = { done: false, data: "NOT_SPAM", ready: () => Promise.reject(failure) };
    const unasked = jest.fn(handler);
    await expect(askModule("user_may_invite", INVITE, { handler: unasked }, { setup })).rejects.toBe(failure);
    expect(unasked).not.toHaveBeenCalled();
    expect(failure.data).toEqual({ module: "m", asked: [{ module: "m", ms: expect.any(Number) }] });
  });
});

describe("calls of the api that a module does not await", () => {
  /** Begins this many, and ends none of them. */
  const beginning = (calls: number) => () => {
    const origin = currentOrigin();
    if (origin) origin.pending += calls;
    return "NOT_SPAM";
  };

  test.each([
    ["are told under a membership lock", "user_may_invite", 1, [[7, "m"]]],
    ["are not told where there are none", "user_may_invite", 0, []],
    ["are not told where there is no lock", "user_may_publish_room", 1, []],
  ])("%s", async (_, name, calls, expected) => {
    const told: unknown[] = [];
    const notAwaited = (...what: unknown[]) => void told.push(what);
    await askModule(name, INVITE, { handler: beginning(calls) }, { notAwaited });
    expect(told).toEqual(expected);
  });

  test("change no answer where nobody wants to know of them", async () => {
    expect(await askModule("user_may_invite", INVITE, { handler: beginning(1) })).toMatchObject({
      answer: "NOT_SPAM",
      module: null,
    });
  });
});

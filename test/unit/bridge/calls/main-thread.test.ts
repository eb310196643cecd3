// A module of the main thread: when it is asked, what its answer comes to, and what it leaves behind.
import { describe, expect, jest, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { currentOrigin } from "../../../../bridge/module-api/origin.js";
import type { StateEvents } from "../../../../bridge/sdk/objects.js";
import { moduleUnavailable } from "../../../../bridge/transport/call-error.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";
import { event, INVITE } from "../samples.js";
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

test("a call that is cancelled does not wait for its handler, and names the module", async () => {
  const source = new CancellationTokenSource();
  const cancellation = new Cancellation(source.token);
  const hanging = () => new Promise(() => {});
  const asking = askModule("user_may_invite", INVITE, { handler: hanging }, { cancellation });
  source.cancel();
  await expect(asking).rejects.toMatchObject({
    kind: "cancelled",
    data: { module: "m", asked: [{ module: "m" }] },
  });
});

describe("an answer", () => {
  test.each([
    ["get_interested_users", [], ["@a:b"]],
    ["get_users_for_states", {}, { "@a:b": [] }],
    ["get_media_config_for_user", {}, { "m.upload.size": 1 }],
    ["get_username_for_registration", null, ""],
    ["is_user_expired", null, false],
  ])("says nothing if it has the JSON of one that does: %s", async (name, nothing, something) => {
    const asked = (answer: unknown) => askModule(name, {}, { handler: () => answer });
    expect(await asked(nothing)).toMatchObject({ module: null });
    expect(await asked(something)).toMatchObject({ answer: something, module: "m" });
  });

  test("may have a function that is run later, only where the callback takes one", async () => {
    const { answer } = await askModule("on_update", {}, { handler: () => [100, () => {}] });
    expect(answer).toEqual([100, { module: "m", id: expect.any(String) }]);
    const pair = ["M_FORBIDDEN", { retry: 1 }];
    expect(await askModule("user_may_invite", INVITE, { handler: () => pair })).toMatchObject({
      answer: pair,
    });
  });
});

test("a reason that is none is told in the module's log, and changes no answer", async () => {
  const lines: Record<string, unknown>[] = [];
  const giving = (_: object, context: object) => {
    (context as { reason(text: unknown): void }).reason(5);
    return "M_FORBIDDEN";
  };
  const reply = await askModule("user_may_invite", INVITE, { handler: giving }, { lines });
  expect(reply).toStrictEqual({
    answer: "M_FORBIDDEN",
    module: "m",
    asked: [{ module: "m", ms: expect.any(Number) }],
  });
  const msg = "m: user_may_invite: context.reason takes a text: the reason is left out";
  expect(lines).toMatchObject([{ level: 40, request: "REQ-1", msg }]);
});

describe("once a handler has settled", () => {
  test("the room's state is not given any more", async () => {
    let state: StateEvents | undefined;
    const keeping = (params: object) => {
      state = (params as { state_events: StateEvents }).state_events;
      return true;
    };
    const params = { event: event(), state_events: { events: [] } };
    await askModule("check_event_allowed", params, { handler: keeping });
    await expect(state?.all()).rejects.toMatchObject({ kind: "call_over", method: "state_events" });
  });

  test("what it has begun belongs to no call any more", async () => {
    const seen: unknown[] = [];
    const see = () => void seen.push(currentOrigin()?.call);
    let goOn = () => {};
    const open = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let later: Promise<void> | undefined;
    const beginning = async () => {
      await null;
      see();
      later = open.then(see);
      return "NOT_SPAM";
    };
    await askModule("user_may_invite", INVITE, { handler: beginning });
    goOn();
    await later;
    expect(seen).toEqual([7, undefined]);
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

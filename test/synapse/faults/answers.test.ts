/** Handlers that never settle, throw, or answer with what Synapse must not see: what a client gets on a real Synapse. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls, metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { boot } from "./boot.js";
import { modulePath, order } from "./modules.js";

const canary = "canary-of-a-message-body";
let server: Homeserver;
let alice: Client;
let room: string;
let node: number;

beforeAll(async () => {
  const callbacks = { check_event_for_spam: { timeout: 1_500 } };
  server = await boot({
    modules: [bridge({ modules: [{ path: modulePath("behave.ts") }], timeout: 700, callbacks })],
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
  node = host(server.pid);
}, 60_000);

afterAll(() => server?.stop());

const deadlines = { outcome: "policy", reason: "deadline" };

describe("a promise that never settles", () => {
  test.each([
    { callback: "check_event_allowed", status: 503, atLeast: 700 },
    { callback: "check_event_for_spam", status: 200, atLeast: 1500 },
  ])("in $callback gets its policy at its deadline, and its signal is aborted", async (row) => {
    const [before, late] = [
      await calls(server, { ...deadlines, callback: row.callback }),
      await metric(server, "synapse_module_bridge_late_answers_total"),
    ];
    const began = performance.now();
    const answer = await alice.send(room, order("hang", { callback: row.callback, body: canary }));
    const took = performance.now() - began;
    expect(answer.status).toBe(row.status);
    expect(took).toBeGreaterThan(row.atLeast);
    expect(await calls(server, { ...deadlines, callback: row.callback })).toBe(before + 1);
    const told = "a hanging handler was told to stop";
    await waitFor("the signal", () => logged(server, told).length > late);
    const counted = async () => (await metric(server, "synapse_module_bridge_late_answers_total")) > late;
    await waitFor("the late answer's count", counted);
    const outcome = `${answer.status} after ${took.toFixed(0)} ms of ${row.atLeast}; told to stop; late answer counted`;
    observed(11, { policy: "default", outcome });
  });

  test("is asked no more after five deadlines, and is asked again once it answers a probe", async () => {
    // One after the other: those that run at the same time miss as one.
    for (let call = 0; call < 5; call++) await alice.send(room, order("hang"));
    expect(await metric(server, "synapse_module_bridge_breakers_open")).toBe(1);
    const began = performance.now();
    expect((await alice.send(room, order("refuse"))).status).toBe(503);
    expect(performance.now() - began).toBeLessThan(700);
    expect(
      await calls(server, { outcome: "policy", reason: "breaker", callback: "check_event_allowed" }),
    ).toBe(1);
    const refused = async () => (await alice.send(room, order("refuse"))).status === 403;
    await waitFor("a probe to close the breaker", refused);
    expect(await metric(server, "synapse_module_bridge_breakers_open")).toBe(0);
    expect(logged(server, "deadlines in a row: it is not asked")).toHaveLength(1);
    expect(logged(server, "check_event_allowed of behave answers again")).toHaveLength(1);
    observed(50, { policy: "defer", outcome: "503 M_UNKNOWN at once, then 403 by the module" });
  });
});

// A bare string is a verdict in check_event_for_spam: Synapse takes it for a refusal. Here it is not.
const unfit = [1, 0, [], ["M_FORBIDDEN"], ["M_FORBIDDEN", {}, {}], {}, [true, 1]];

describe("an answer of the wrong shape is a fault of the module, as if it had raised in Python", () => {
  test.each([
    ...unfit.map((value) => ({ callback: "check_event_for_spam", value })),
    ...[...unfit, "", "spam"].map((value) => ({ callback: "check_event_allowed", value })),
  ])("$callback: $value", async ({ callback, value }) => {
    const before = await calls(server, { callback, outcome: "fault" });
    const answer = await alice.send(room, order("answer", { callback, value, body: canary }));
    expect(answer).toMatchObject({ status: 500, body: { error: "Internal server error" } });
    expect(await calls(server, { callback, outcome: "fault" })).toBe(before + 1);
  });

  test("and so is an exception", async () => {
    expect((await alice.send(room, order("throw"))).status).toBe(500);
    expect(logged(server, "behave: check_event_allowed threw").length).toBeGreaterThan(0);
    observed(9, { policy: "default", outcome: "500 M_UNKNOWN" });
  });
});

describe("a replacement event", () => {
  const inside = (field: string) => ({ status: 500, says: `the replacement changes ${field}` });
  test.each([
    { value: "room_id", ...inside("room_id") },
    { value: "type", ...inside("type") },
    { value: "state_key", ...inside("state_key") },
    {
      value: "64 KiB",
      status: 413,
      says: "content is larger than an event may be (65536 bytes), most of all body",
    },
    { value: "a fraction", status: 400, says: "its content.number is no whole number" },
    { value: "an integer beyond 2^53", status: 400, says: "its content.number is no whole number" },
    { value: "a lone surrogate", status: 500, says: "the replacement's content.body has half a character" },
    { value: "a list as content", status: 500, says: "content must be object" },
    { value: "5000 levels", status: 500, says: "content.deep[0][0]" },
  ])("with $value is refused", async ({ value, status, says }) => {
    const heard = logged(server, says).length;
    const answer = await alice.send(room, order("replace", { value, body: canary }));
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(canary);
    expect(logged(server, says).length).toBeGreaterThan(heard);
    const { body } = await alice.messages(room, 1);
    expect(body.chunk[0].content.order?.value).not.toBe(value);
    observed(27, { policy: "default", outcome: `${answer.status} ${answer.body.errcode}` });
  });

  test("with __proto__ changes nothing but that event", async () => {
    await alice.send(room, order("replace", { value: "__proto__" }));
    const answer = await alice.send(room, order("replace", { value: "nothing" }));
    expect(answer.status).toBe(200);
    expect(JSON.stringify((await alice.event(room, answer.body.event_id)).body)).not.toContain("polluted");
    observed(27, { outcome: "200, the event as it was" });
  });
});

test("none of this ended Node, mishandled a log context, or put content into the bridge's log", () => {
  expect(host(server.pid)).toBe(node);
  expect(contextWarnings(server)).toEqual([]);
  expect(logged(server, "synapse_module_bridge").filter((line) => line.includes(canary))).toEqual([]);
  observed(44, { outcome: "no content in the log" });
});

/** A shadow module on a real Synapse: whatever it does is recorded, and changes nothing. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls, type Labels, metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { boot } from "./boot.js";
import { modulePath, order } from "./modules.js";

let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  const modules = [
    { path: modulePath("shadow.ts"), shadow: true, grants: "all" },
    { path: modulePath("behave.ts"), name: "enforced", config: { name: "enforced" } },
  ];
  server = await boot({ modules: [bridge({ modules, timeout: "3s" })] });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom({ name: "named by alice" })).body.room_id;
}, 60_000);

afterAll(() => server?.stop());

const recorded = (labels: Labels) =>
  waitFor(
    `a count of ${JSON.stringify(labels)}`,
    async () => (await calls(server, { module: "shadow", ...labels })) > 0,
  );

test.each([
  { callback: "check_event_for_spam", act: "refuse", outcome: "would_refuse" },
  { callback: "check_event_for_spam", act: "throw", outcome: "would_fault" },
  { callback: "check_event_for_spam", act: "nonsense", outcome: "would_fault" },
  { callback: "check_event_for_spam", act: "hang", outcome: "would_policy" },
  { callback: "check_event_for_spam", act: "write", outcome: "would_allow" },
  { callback: "check_event_allowed", act: "refuse", outcome: "would_refuse" },
  { callback: "check_event_allowed", act: "replace", outcome: "would_replace" },
])(
  "$act in $callback is recorded as $outcome, and the message is sent as it was",
  async ({ callback, act, outcome }) => {
    const content = order(act, { callback, body: "as alice wrote it", for: "shadow" });
    const began = performance.now();
    const answer = await alice.send(room, content);
    expect(answer.status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2_500);
    expect((await alice.event(room, answer.body.event_id)).body.content).toEqual(content);
    await recorded({ callback, outcome });
    observed(49, { policy: "shadow", outcome: `200; ${outcome}` });
  },
);

test("what it edits in on_create_room is recorded, and not done", async () => {
  await recorded({ callback: "on_create_room", outcome: "would_edit" });
  expect((await alice.getState(room, "m.room.name")).body).toEqual({ name: "named by alice" });
});

test("what it writes through the ModuleApi is refused, though it was granted", async () => {
  await waitFor("the refusal in the log", () => logged(server, "the write failed").length > 0);
  const { body } = await alice.messages(room);
  expect(JSON.stringify(body)).not.toContain("written by a shadow");
  observed(49, { policy: "shadow", outcome: "the write is refused" });
});

test("while its calls hang, a bounded number of them waits, and others are judged as ever", async () => {
  const hanging = Array.from({ length: 200 }, (_, n) =>
    alice.send(room, order("hang", { callback: "check_event_for_spam", for: "shadow", body: `${n}` })),
  );
  const answers = await Promise.all(hanging);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await recorded({ outcome: "would_policy", reason: "overload" });
  expect(await metric(server, "synapse_module_bridge_calls_in_flight")).toBeLessThan(100);
  expect((await alice.send(room, order("refuse", { for: "enforced" }))).status).toBe(403);
  await recorded({ outcome: "would_policy", reason: "deadline" });
  // Five deadlines of 3 s in a row open its breaker: those that pass together count as one.
  const keptFromIt = async () => {
    await alice.send(room, order("hang", { callback: "check_event_for_spam", for: "shadow" }));
    return (await calls(server, { outcome: "would_policy", reason: "breaker" })) > 0;
  };
  await waitFor("a question that the breaker kept from it", keptFromIt, 30_000);
  observed(49, { policy: "shadow", outcome: "200 each; would_policy for overload, deadline, breaker" });
}, 60_000);

test("an enforced module after it decides as if it were alone", async () => {
  const answer = await alice.send(
    room,
    order("refuse", { callback: "check_event_for_spam", for: "enforced" }),
  );
  expect(answer).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
  expect(
    await calls(server, { module: "enforced", outcome: "refused", callback: "check_event_for_spam" }),
  ).toBe(1);
});

test("nobody was answered by policy for its sake, and no log context was mishandled", async () => {
  expect(await calls(server, { outcome: "policy" })).toBe(0);
  expect(contextWarnings(server)).toEqual([]);
});

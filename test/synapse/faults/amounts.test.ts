/** More than usual on a real Synapse, of log, bytes, calls and notifications: what it costs Synapse is told, not judged. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls, metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { measured } from "./measure.js";
import { modulePath } from "./modules.js";

const files = temporaryFolder();
const go = files.path("go");
let server: Homeserver;
let alice: Client;
let room: string;
let node: number;

beforeAll(async () => {
  const pythonPath = [shim, modulePath("")];
  const modules = [{ path: modulePath("heavy.ts"), config: { go } }];
  // What Node is asked with and answers, several times over.
  const config = {
    modules,
    timeout: "30s",
    memory: "1G",
    callbacks: { check_event_for_spam: { on_failure: "deny" } },
  };
  server = await boot({
    modules: [bridge(config), { module: "many_calls.ManyCalls" }],
    pythonPath,
    extraConfig: { max_upload_size: "100M" },
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
  node = host(server.pid);
}, 60_000);

afterAll(async () => {
  await server?.stop();
  files.remove();
});

const send = (type: string, content: object) => alice.send(room, content, type);
const MEBIBYTE = 2 ** 20;

test("a log of 100 MiB delays no verdict, and what is over the rate is counted", async () => {
  const dropped = () => metric(server, "synapse_module_bridge_log_lines_dropped_total");
  const before = await dropped();
  const { result, cost } = await measured(server, () => send("org.example.flood", { mebibytes: 100 }));
  expect(result).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
  const lines = (100 * MEBIBYTE) / 227;
  await waitFor("the dropped lines", async () => (await dropped()) - before > lines * 0.9);
  expect(host(server.pid)).toBe(node);
  expect(cost.memory[1] - cost.memory[0]).toBeLessThan(50);
  observed(17, { outcome: `403 by the module; ${(await dropped()) - before} lines dropped`, ...cost });
});

describe("a call of many megabytes", () => {
  test.each([5, 50])("reaches the module whole: %i MiB", async (mebibytes) => {
    const filler = "x".repeat(mebibytes * MEBIBYTE);
    const { result, cost } = await measured(server, () => alice.createRoom({ filler }));
    expect(result).toMatchObject({ status: 403, body: { size: filler.length } });
    const alone = await measured(server, () => alice.post("/_matrix/client/v3/search", { filler }));
    const own = alone.cost.pauseMs.toFixed(0);
    observed(28, { outcome: `403 by the module (Synapse alone takes ${own} ms for such a body)`, ...cost });
  });

  test("is refused where it is over the limit, and fails alone: 70 MiB", async () => {
    const params = { callback: "user_may_create_room", outcome: "policy", reason: "too_large" };
    const before = await calls(server, params);
    const filler = "x".repeat(70 * MEBIBYTE);
    const { result, cost } = await measured(server, () => alice.createRoom({ filler }));
    expect(result).toMatchObject({ status: 403, body: { error: "policy unavailable" } });
    expect(await calls(server, params)).toBe(before + 1);
    expect(host(server.pid)).toBe(node);
    observed(28, { policy: "deny", outcome: "403 M_FORBIDDEN", ...cost });
  });

  test("may be the state of a room that a module looks at: 6 MiB", async () => {
    const content = { filler: "x".repeat(60_000) };
    const initial_state = Array.from({ length: 100 }, (_, n) => ({
      ...{ type: "org.example.filler", state_key: `${n}`, content },
    }));
    const big = (await alice.createRoom({ initial_state })).body.room_id;
    const { result, cost } = await measured(server, () => alice.send(big, {}, "org.example.look"));
    expect(result).toMatchObject({ status: 403, body: { error: "looked" } });
    expect(result.body.size).toBeGreaterThan(6_000_000);
    observed(28, { outcome: "403 by the module", ...cost });
  });
});

describe("an answer of many megabytes", () => {
  test("reaches Synapse whole: 5 MiB", async () => {
    const { result, cost } = await measured(server, () => send("org.example.big_answer", { mebibytes: 5 }));
    expect(result.status).toBe(403);
    expect(result.body.much).toHaveLength(5 * MEBIBYTE);
    observed(28, { outcome: "403 by the module", ...cost });
  });

  test("fails alone where it is over the limit: 70 MiB", async () => {
    const { result, cost } = await measured(server, () => send("org.example.big_answer", { mebibytes: 70 }));
    // A fault of its module, which is an exception in Synapse.
    expect(result).toMatchObject({ status: 500 });
    expect(host(server.pid)).toBe(node);
    observed(28, { outcome: "500 M_UNKNOWN", ...cost });
  });
});

test("ten thousand calls at once are all answered by the module, and a local one does not wait for them", async () => {
  const asked = () => alice.get("/_synapse/client/many_calls", { count: "10000" });
  const { result, cost } = await measured(server, asked);
  expect(result.body).toMatchObject({ answers: 10_001, wrong: 0 });
  // Those ahead of it are in flight already.
  expect(result.body.local_came).toBeLessThanOrEqual(192);
  const unanswered = { callback: "user_may_invite", outcome: "policy" };
  expect(await calls(server, unanswered)).toBe(0);
  const { asking_ms, local_came } = result.body;
  const outcome = `10,001 by the module, the local one as the ${local_came}th; asking took ${asking_ms} ms of one turn`;
  observed(29, { outcome, ...cost });
});

test("a module that does not hear its notifications out delays nobody, and what it is too late for is counted", async () => {
  const content = { filler: "x".repeat(60_000) };
  const initial_state = Array.from({ length: 16 }, (_, n) => ({
    ...{ type: "org.example.filler", state_key: `${n}`, content },
  }));
  // The module has declared that state: each notification of this room that waits has 1 MB.
  const stuck = (await alice.createRoom({ initial_state })).body.room_id;
  const dropped = () =>
    metric(server, "synapse_module_bridge_notifications_dropped_total", { reason: "queue_full" });
  const { result: statuses, cost } = await measured(server, async () => {
    const statuses = [];
    for (let n = 0; n < 90; n++) {
      statuses.push(
        (await alice.say(stuck, "stuck")).status,
        (await alice.say(room, "heard at once")).status,
      );
    }
    return statuses;
  });
  expect(new Set(statuses)).toEqual(new Set([200]));
  const lost = await dropped();
  expect(lost).toBeGreaterThan(10);
  expect(await metric(server, "synapse_module_bridge_notifications_queued")).toBe(90 - lost);
  expect(logged(server, "the queue of notifications is full")).toHaveLength(1);
  expect(logged(server, "the queue of notifications has room again")).toEqual([]);
  writeFileSync(go, "");
  const queued = () => metric(server, "synapse_module_bridge_notifications_queued");
  await waitFor("the queue to be empty", async () => (await queued()) === 0);
  expect(await dropped()).toBe(lost);
  expect(logged(server, "the queue of notifications is full")).toHaveLength(1);
  expect(logged(server, "the queue of notifications has room again")).toHaveLength(1);
  observed(11, { outcome: `200 each; ${lost} of 90 notifications dropped`, policy: "notify", ...cost });
});

test("none of this ended Node, kept anything in flight, or mishandled a log context", async () => {
  expect(host(server.pid)).toBe(node);
  expect(await metric(server, "synapse_module_bridge_calls_in_flight")).toBe(0);
  expect(await metric(server, "synapse_module_bridge_calls_waiting")).toBe(0);
  // What Synapse says wherever a module hears of events, as notifications.test.ts shows, is no matter of ours.
  const own = /Re-starting finished log context|without recording a start rusage/;
  expect(contextWarnings(server).filter((line) => !own.test(line))).toEqual([]);
});

/** Node dies, hangs, stops and is written over, under calls of a real Synapse: each is answered, and all heals by itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Answer, type Client, password, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { calls, metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { longestPause } from "../../support/pauses.js";
import { childrenOf, isGone } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot, pingDuring } from "./boot.js";
import { lines, modulePath, order } from "./modules.js";

const canary = "canary-of-a-message-body";
const metricNames = [
  ...["calls_total", "call_seconds_bucket", "calls_in_flight", "calls_waiting", "notifications_queued"],
  ...[
    "up",
    "host_ends_total",
    "late_answers_total",
    "breakers_open",
    "modules_not_set_up",
    "node_memory_bytes",
  ],
  ...["spurious_answers_total", "log_lines_dropped_total"],
];
const files = temporaryFolder();
const seen = files.path("seen");
let server: Homeserver;
let alice: Client;
let room: string;
let deaths = 0;
let users = 0;

beforeAll(async () => {
  server = await boot({
    modules: [bridge({ modules: [{ path: modulePath("behave.ts"), config: { seen } }], timeout: "2s" })],
  });
}, 60_000);

/** Who has ended or hung Node is not asked about any more: each test has a user of its own. */
beforeEach(async () => {
  alice = await registerUser(server, `alice${users++}`);
  room = (await alice.createRoom()).body.room_id;
});

afterAll(async () => {
  await server?.stop();
  files.remove();
});

/** The longest pause of the reactor since the test began. */
const pauseMs = async () => (await longestPause(server.baseUrl)) ?? Number.NaN;
beforeEach(async () => void (await pauseMs()));

const say = (content: unknown) => alice.send(room, content);
const underWay = (count: number) =>
  waitFor(`${count} calls at the module`, () => lines(seen).length >= count);
const setAside = ({ userId }: Client) =>
  logged(server, `is not asked check_event_allowed about ${userId} in`);
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);
const back = (pid: number) =>
  waitFor("the line that says it is back", async () => {
    deaths = logged(server, "the module host ended (").length;
    return (await metric(server, "synapse_module_bridge_up")) === 1 && host(server.pid) !== pid
      ? true
      : undefined;
  });

describe("SIGKILL of Node", () => {
  test("while it is idle is not noticed by the next message", async () => {
    const before = host(server.pid);
    process.kill(before, "SIGKILL");
    const began = Date.now();
    await waitFor("its end", () => isGone(before));
    const refused = () => say(order("refuse", { body: canary }));
    const { status } = await refused();
    const took = Date.now() - began;
    // On a busy machine Node may take longer to start than calls are held: then policy answers, and not before.
    if (status !== 403) expect({ status, held: took > 2_000 }).toEqual({ status: 503, held: true });
    await back(before);
    expect(await refused()).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    const killed = { cause: "killed by SIGKILL" };
    expect(await metric(server, "synapse_module_bridge_host_ends_total", killed)).toBe(1);
    observed(6, { policy: "defer", outcome: `${status} after ${took} ms`, pauseMs: await pauseMs() });
  });

  test("with calls in flight has each answered by the module, once Node is back", async () => {
    const before = host(server.pid);
    const asked = lines(seen).length;
    const byPolicy = await calls(server, { outcome: "policy" });
    // In a room of its own each: Synapse sends the messages of a room one after the other.
    const rooms = await Promise.all(Array.from({ length: 5 }, () => alice.createRoom()));
    const slow = order("slow", { ms: 150, body: canary });
    const sent = rooms.map(({ body }) => alice.send(body.room_id, slow));
    await underWay(asked + 5);
    process.kill(before, "SIGKILL");
    const answers = await Promise.all(sent);
    await back(before);
    // On a busy machine Node may take longer to start than calls are held.
    const late = (await calls(server, { outcome: "policy" })) - byPolicy;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5 - late);
    observed(7, { policy: "defer", outcome: `200 for ${5 - late} of 5`, pauseMs: await pauseMs() });
  });

  test("with calls in flight that never answer has each answered once, by its policy", async () => {
    const before = host(server.pid);
    const asked = lines(seen).length;
    const sent = Array.from({ length: 20 }, (_, n) =>
      say(order("hang", { callback: n % 2 ? "check_event_allowed" : "check_event_for_spam", body: canary })),
    );
    await underWay(asked + 20);
    process.kill(before, "SIGKILL");
    const answers = await Promise.all(sent);
    // Messages are sent one after the other in a room, so what is in line is asked of the new Node.
    const expected = Array.from({ length: 20 }, (_, n) => (n % 2 ? 503 : 200));
    expect(statuses(answers)).toEqual(expected);
    // Each was asked again at most once, apart.
    const times = new Map<string, number>();
    for (const line of lines(seen).slice(asked)) {
      const id = line.split(" ").slice(0, 2).join(" ");
      times.set(id, (times.get(id) ?? 0) + 1);
    }
    expect(Math.max(...times.values())).toBeLessThanOrEqual(3);
    await back(before);
    const outcome = "200 for check_event_for_spam, 503 M_UNKNOWN for check_event_allowed";
    observed(7, { policy: "default", outcome, pauseMs: await pauseMs() });
  });
});

describe("a host that does not answer", () => {
  test("for an endless loop is ended; its module and stack are in the log, and others are judged or get policy", async () => {
    const before = host(server.pid);
    const asked = lines(seen).length;
    const bob = await registerUser(server, "bob");
    const bobs = (await bob.createRoom()).body.room_id;
    const blocked = say(order("block", { body: canary }));
    await underWay(asked + 1);
    const beside = bob.send(bobs, order("refuse"));
    const pings = await pingDuring(server, nextHost(server.pid, before));
    // Both have two seconds: whether Node is back in time for them depends on the machine.
    expect([403, 503]).toContain((await blocked).status);
    expect([403, 503]).toContain((await beside).status);
    const [line] = logged(server, "has blocked the event loop");
    expect(line).toMatch(
      /CRITICAL synapse_module_bridge\.module\.behave .* behave has blocked the event loop/,
    );
    expect(logged(server, "  | ").some((frame) => /blockForEver \(.*behave\.ts:\d+:\d+\)/.test(frame))).toBe(
      true,
    );
    expect(logged(server, "the module host ended (event loop blocked)")).toHaveLength(1);
    await back(before);
    expect((await bob.send(bobs, order("refuse"))).status).toBe(403);
    await waitFor("its author to be set aside", () => setAside(alice).length > 0, 15_000);
    expect(setAside(bob)).toEqual([]);
    const outcome = `403, or 503 M_UNKNOWN; /versions within ${pings.at(-1)?.toFixed(0)} ms`;
    observed(12, { policy: "defer", outcome, pauseMs: await pauseMs() });
  });

  test("for it was stopped, with a full pipe, is ended; Synapse's other work goes on meanwhile", async () => {
    const before = host(server.pid);
    process.kill(before, "SIGSTOP");
    // 1.2 MB, where a pipe holds 64 KiB.
    const sent = Promise.all(
      Array.from({ length: 40 }, () => say({ ...order("refuse"), filler: "x".repeat(30_000) })),
    );
    const pings = await pingDuring(server, sent);
    // The last ones may still have time when Node is back.
    expect(statuses(await sent).filter((status) => status !== 403)[0]).toBe(503);
    await nextHost(server.pid, before);
    expect(logged(server, "the module host ended (it did not answer)")).toHaveLength(1);
    await back(before);
    expect((await say(order("refuse"))).status).toBe(403);
    expect(setAside(alice)).toEqual([]);
    const outcome = `503 M_UNKNOWN; /versions within ${pings.at(-1)?.toFixed(0)} ms`;
    const cost = { policy: "defer", outcome, pauseMs: await pauseMs() };
    for (const row of [15, 16]) observed(row, cost);
  });
});

test.each(["print", "grandchild"])(
  "what a module writes to its standard output (%s) is log, not wire",
  async (act) => {
    const before = host(server.pid);
    expect((await say(order(act))).status).toBe(200);
    expect((await say(order("refuse"))).status).toBe(403);
    await waitFor("the text in the log", () => logged(server, "Content-Length").length > 0);
    expect(host(server.pid)).toBe(before);
    for (const row of [20, 45]) observed(row, { outcome: "200, and 403 by the module" });
  },
);

test("process.exit() in a module is told apart from a kill, and its author is set aside", async () => {
  const before = host(server.pid);
  expect((await say(order("exit"))).status).toBe(403);
  await nextHost(server.pid, before);
  // What an earlier end has made suspects may still be asked apart.
  expect(logged(server, "the module host ended (it called process.exit(3), in behave)")).toEqual([
    expect.stringMatching(/, running: .*check_event_allowed of behave/),
  ]);
  await back(before);
  expect(setAside(alice)).toHaveLength(1);
  // Here and now, be it as harmless as it may; elsewhere it is asked about.
  expect((await say(order("print"))).status).toBe(403);
  const elsewhere = (await alice.createRoom()).body.room_id;
  expect((await alice.send(elsewhere, order("print"))).status).toBe(200);
  observed(9, { policy: "defer", outcome: "403 M_FORBIDDEN", pauseMs: await pauseMs() });
});

describe("after all that", () => {
  test("the log has one line for each outage's beginning and one for its end", () => {
    expect(deaths).toBe(6);
    expect(logged(server, "the module host is back after")).toHaveLength(deaths);
  });

  test("the log holds no content and no secret of the bridge's", () => {
    const ours = logged(server, "synapse_module_bridge").join("\n");
    expect(ours).toContain("outcome=policy");
    for (const secret of [canary, alice.accessToken, password]) expect(ours).not.toContain(secret);
    observed(44, {
      outcome: "none of them in the log, nor of the content",
      tried: "a token, a password, a body",
    });
  });

  test("no log context was mishandled, and no error was left unhandled", () => {
    expect(contextWarnings(server)).toEqual([]);
    expect(logged(server, "Unhandled")).toEqual([]);
  });

  test("the metrics that the documentation names are there, with Synapse's label for the server", async () => {
    const { text } = await alice.get("/_synapse/metrics");
    const samples = text.split("\n").filter((line) => line.startsWith("synapse_module_bridge_"));
    const named = new Set(samples.map((line) => /^\w+/.exec(line)?.[0]));
    for (const name of metricNames) expect(named).toContain(`synapse_module_bridge_${name}`);
    // The two that count what has no server yet.
    const shared = /_(spurious_answers|log_lines_dropped)_(total|created)/;
    const without = samples.filter((line) => !line.includes('server_name="test.localhost"'));
    expect(without.filter((line) => !shared.test(line))).toEqual([]);
    expect(samples.join()).not.toContain(canary);
  });

  test("nothing is left in flight, and no process but the host", async () => {
    expect(await metric(server, "synapse_module_bridge_calls_in_flight")).toBe(0);
    expect(await metric(server, "synapse_module_bridge_calls_waiting")).toBe(0);
    expect(childrenOf(server.pid)).toHaveLength(1);
  });
});

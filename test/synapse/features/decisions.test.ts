// What Synapse's database keeps of decisions, on a real Synapse.
import { chmodSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { queryDatabase } from "../../support/database.js";
import type { Homeserver } from "../../support/homeserver.js";
import { contextWarnings } from "../../support/log.js";
import { calls, metric } from "../../support/metrics.js";
import { harnessFile } from "../../support/paths.js";
import { longestPause } from "../../support/pauses.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "../faults/boot.js";
import { modulePath } from "./module-path.js";

const folder = temporaryFolder();
// Node, unless it is told not to start.
const down = folder.path("down");
const node = folder.write("node", `#!/bin/sh\n[ -e ${down} ] && exit 1\nexec ${process.execPath} "$@"\n`);
let server: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  chmodSync(node, 0o755);
  const modules = [
    { path: modulePath("decides.ts"), name: "decides" },
    { path: modulePath("decides.ts"), name: "new-idea", shadow: true, config: { objects: true } },
  ];
  server = await boot({
    modules: [bridge({ modules, node }), { module: "many_refusals.ManyRefusals" }],
    pythonPath: [shim, harnessFile("../synapse/features/modules")],
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const columns = ["module", "callback", "outcome", "count", "answer", "reason", "details", "really"] as const;
const shown = [...columns, "user_id", "room_id", "event_id", "process", "files", "config"] as const;
type Row = Record<(typeof shown)[number], string | number | null>;

const from = "FROM module_bridge_decisions d JOIN module_bridge_decision_kinds k ON d.kind = k.id";
const hasTable = () =>
  queryDatabase(server, "SELECT 1 FROM sqlite_master WHERE name = 'module_bridge_decisions'").length > 0;

function rows(where = "1 = 1"): Row[] {
  if (!hasTable()) return [];
  const found = queryDatabase(server, `SELECT ${shown.join(", ")} ${from} WHERE ${where} ORDER BY d.id`);
  return found.map((row) => Object.fromEntries(row.map((value, at) => [shown[at], value])) as Row);
}

/** The rows, once there are so many. */
async function someRows(where: string, atLeast = 1): Promise<Row[]> {
  await waitFor(`${atLeast} rows where ${where}`, () => rows(where).length >= atLeast);
  return rows(where);
}

test("a refusal is on record within seconds, with its version and reason, and without what was said", async () => {
  expect((await alice.say(room, "spam, and a secret")).status).toBe(403);
  const [row] = await someRows("outcome = 'refused'");
  expect(row).toMatchObject({
    ...{ module: "decides", callback: "check_event_for_spam", count: 1, answer: "M_FORBIDDEN" },
    ...{ reason: "a word that is not allowed", details: '{"word":"spam"}', really: null, process: "main" },
    ...{ user_id: alice.userId, room_id: room },
    files: expect.stringMatching(/^[0-9a-f]{12}$/),
    config: expect.stringMatching(/^[0-9a-f]{12}$/),
  });
  expect(JSON.stringify(rows())).not.toContain("a secret");
});

test("what is repeated is one row, and what passes is none", async () => {
  for (let n = 0; n < 5; n++) await alice.say(room, `spam ${n}`);
  await alice.say(room, "hello");
  await waitFor("the count", () => rows("outcome = 'refused'")[0]?.count === 6);
  expect(rows("outcome = 'refused'")).toHaveLength(1);
  expect(rows("outcome = 'allowed'")).toEqual([]);
});

test("faults and errors of modules are on record", async () => {
  await alice.say(room, "throw");
  await alice.say(room, "error");
  const found = await someRows("outcome IN ('fault', 'error')", 2);
  expect(found.map(({ outcome, answer }) => [outcome, answer])).toEqual([
    ["fault", null],
    ["error", "429/M_LIMIT_EXCEEDED"],
  ]);
});

test("a shadow module's objection says what was really decided", async () => {
  await alice.say(room, "an idea");
  await alice.say(room, "spam is an idea");
  const found = await someRows("module = 'new-idea'", 2);
  expect(found.map(({ outcome, reason, really }) => [outcome, reason, really]).sort()).toEqual([
    ["would_refuse", "an idea", "allowed"],
    ["would_refuse", "an idea", "refused"],
  ]);
});

test("1,000 refusals a second are judged as ever, and counted but not all stored", async () => {
  await longestPause(server.baseUrl);
  const flood = await alice.get("/_synapse/client/many_refusals", { a_second: "1000", seconds: "5" });
  const pause = await longestPause(server.baseUrl);
  expect(flood).toMatchObject({ status: 200, body: { passed: 0 } });
  const where = "callback = 'user_may_create_room_alias'";
  const inRows = () => rows(where).reduce((sum, { count }) => sum + Number(count), 0);
  const dropped = () => metric(server, "synapse_module_bridge_decisions_dropped_total");
  // The shadow module gets to see a part of the flood only, which is on record as well.
  const labels = { callback: "user_may_create_room_alias", outcome: "would_policy" };
  const recorded = async () => flood.body.asked + (await calls(server, labels));
  await waitFor(
    "all to be stored or counted",
    async () => inRows() + (await dropped()) === (await recorded()),
  );
  const stored = rows(where);
  expect(stored.length).toBeGreaterThan(100);
  // What shadow modules object to is stored a little later.
  expect(stored.length).toBeLessThanOrEqual(50 * (flood.body.seconds + 12));
  console.log({ ...flood.body, rows: stored.length, dropped: await dropped(), pause_ms: pause });
}, 60_000);

test("while Node is down, policy's answers are on record", async () => {
  const [pid] = childrenOf(server.pid);
  if (pid === undefined) throw new Error("there is no Node");
  folder.write("down", "");
  try {
    process.kill(pid, "SIGKILL");
    await waitFor("an answer by policy", async () => (await alice.say(room, "hello")).status === 200);
    const [row] = await someRows("outcome = 'policy'");
    expect(row).toMatchObject({ module: "decides", answer: "allow", reason: "down", user_id: alice.userId });
  } finally {
    rmSync(down);
  }
  await waitFor("Node to be back", async () => (await alice.say(room, "spam")).status === 403, 30_000);
}, 60_000);

test("hours have what modules were asked, also what passed", async () => {
  const where = "module = 'decides' AND callback = 'check_event_for_spam'";
  const sum = () =>
    queryDatabase(server, `SELECT SUM(calls), SUM(refusals) FROM module_bridge_hourly WHERE ${where}`)[0];
  await waitFor("the counters", () => Number(sum()?.[0]) > 10, 30_000);
  expect(Number(sum()?.[1])).toBeGreaterThanOrEqual(6);
}, 60_000);

test("what is decided last is written before Synapse has stopped", async () => {
  const bob = await registerUser(server, "bob");
  const bobs = (await bob.createRoom()).body.room_id;
  await bob.say(bobs, "spam");
  process.kill(server.pid, "SIGTERM");
  await server.exited;
  const where = `user_id = '${bob.userId}' AND outcome = 'refused'`;
  expect(rows(where)).toHaveLength(1);
  expect(contextWarnings(server)).toEqual([]);
}, 60_000);

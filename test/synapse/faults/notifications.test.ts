/** Notifications on a real Synapse: in order, never waited for, and not lost with Node. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { contextWarningKinds, logged } from "../../support/log.js";
import { metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { lines, modulePath } from "./modules.js";

const files = temporaryFolder();
const heard = files.path("heard");
let server: Homeserver;
let plain: Homeserver;
let alice: Client;
let rooms: string[];

beforeAll(async () => {
  const modules = [{ path: modulePath("listen.ts"), config: { heard } }];
  const pythonPath = [modulePath("")];
  [server, plain] = await Promise.all([
    boot({ modules: [bridge({ modules })] }),
    boot({ modules: [{ module: "trivial.Trivial" }], pythonPath }),
  ]);
  alice = await registerUser(server, "alice");
  rooms = await Promise.all([1, 2, 3].map(async () => (await alice.createRoom()).body.room_id));
}, 60_000);

afterAll(async () => {
  await Promise.all([server?.stop(), plain?.stop()]);
  files.remove();
});

const say = (room: string, body: string, ms = 0) => alice.send(room, { msgtype: "m.text", body, ms });
const heardIn = (room: string) =>
  lines(heard)
    .filter((line) => line.startsWith(`${room} `))
    .map((line) => line.slice(room.length + 1));
const allHeard = (room: string, last: string) =>
  waitFor(`${last} to be heard`, () => heardIn(room).includes(last), 20_000);
const dropped = () => metric(server, "synapse_module_bridge_notifications_dropped_total");

test("a handler of three seconds delays neither the request, nor /sync, nor other rooms", async () => {
  const [slow = "", quick = ""] = rooms;
  const since = (await alice.sync()).body.next_batch;
  const began = performance.now();
  expect((await say(slow, "slow", 3_000)).status).toBe(200);
  const sent = performance.now() - began;
  const { body } = await alice.sync({ since, timeout: "10000" });
  const synced = performance.now() - began;
  expect(Object.keys(body.rooms.join)).toEqual([slow]);
  expect((await say(quick, "quick")).status).toBe(200);
  await allHeard(quick, "quick");
  expect(heardIn(slow)).toEqual([]);
  await allHeard(slow, "slow");
  const outcome = `sent after ${sent.toFixed(0)} ms, in /sync after ${synced.toFixed(0)} ms`;
  observed(13, { policy: "notification", outcome });
});

test("each room hears of its events in their order, whichever takes longer", async () => {
  const [one = "", two = ""] = rooms;
  const bodies = Array.from({ length: 20 }, (_, n) => `message ${n}`);
  for (const [n, body] of bodies.entries()) {
    await Promise.all([say(one, body, n % 3 ? 0 : 40), say(two, body, n % 2 ? 60 : 0)]);
  }
  await Promise.all([allHeard(one, "message 19"), allHeard(two, "message 19")]);
  expect(heardIn(one).slice(-20)).toEqual(bodies);
  expect(heardIn(two).slice(-20)).toEqual(bodies);
  expect(await dropped()).toBe(0);
});

test("Node's death loses the one it was being told of, or has it told once more, and hands over those that wait", async () => {
  const [room = ""] = rooms;
  const node = host(server.pid);
  await say(room, "in flight", 4_000);
  const bodies = Array.from({ length: 10 }, (_, n) => `waiting ${n}`);
  for (const body of bodies) await say(room, body);
  process.kill(node, "SIGKILL");
  for (const body of ["after 0", "after 1"]) await say(room, body);
  await nextHost(server.pid, node);
  await allHeard(room, "after 1");
  const heard = heardIn(room);
  expect(heard.filter((body) => body !== "in flight").slice(-12)).toEqual([...bodies, "after 0", "after 1"]);
  // It is told once more, apart, if there is time for that: it takes longer than others.
  const again = heard.filter((body) => body === "in flight").length;
  expect(again).toBeLessThanOrEqual(1);
  expect(again + (await dropped())).toBeGreaterThanOrEqual(1);
  expect(await metric(server, "synapse_module_bridge_notifications_queued")).toBe(0);
  observed(7, { policy: "notification", outcome: "1 counted as dropped, 12 told to the next Node" });
});

test("a clean stop of Synapse hears out those that wait", async () => {
  const [, , room = ""] = rooms;
  const bodies = Array.from({ length: 5 }, (_, n) => `last ${n}`);
  for (const body of bodies) await say(room, body, 100);
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toBe(0);
  expect(heardIn(room)).toEqual(bodies);
  observed(34, { policy: "notification", outcome: "all were told" });
});

test("the log says nothing of log contexts but what Synapse says of any module that hears of events", async () => {
  const bob = await registerUser(plain, "bob");
  const { room_id } = (await bob.createRoom()).body;
  for (let n = 0; n < 5; n++) await bob.say(room_id, "hello");
  const known = contextWarningKinds(plain);
  console.info(`Synapse alone: ${[...known].join("; ") || "nothing"}`);
  expect([...contextWarningKinds(server)].filter((kind) => !known.has(kind))).toEqual([]);
  expect(logged(server, "Unhandled")).toEqual([]);
});

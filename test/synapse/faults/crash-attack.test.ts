/**
 * One user ends or hangs Node by a message every five seconds, as Synapse's default rate limits let them: what the others send
 * is judged all the same. `ATTACK_SECONDS=90` attacks for longer; what passed is printed.
 */
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, test } from "@jest/globals";
import { bridge, shim } from "../../support/bridge.js";
import { Client, registerUser } from "../../support/client.js";
import type { Homeserver, HomeserverOptions } from "../../support/homeserver.js";
import { logged } from "../../support/log.js";
import { metric } from "../../support/metrics.js";
import { observed } from "../../support/observed.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

const SECONDS = Number(process.env.ATTACK_SECONDS ?? 15);
const WINDOW_SECONDS = 15;
const MOST_UNJUDGED = 3;

const servers: Homeserver[] = [];

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

async function start(options: HomeserverOptions): Promise<Homeserver> {
  const server = await boot(options);
  servers.push(server);
  return server;
}

interface Sent {
  readonly at: number;
  readonly status: number;
}

/** Says this again and again, however long each takes, and gives what came of it once all is over. */
async function keepSaying(user: Client, room: string, body: string, everyMs: number): Promise<Sent[]> {
  const began = performance.now();
  const sent: Promise<Sent>[] = [];
  while (performance.now() - began < SECONDS * 1_000) {
    const at = (performance.now() - began) / 1_000;
    sent.push(user.say(room, body).then(({ status }) => ({ at, status })));
    await pause(everyMs);
  }
  return Promise.all(sent);
}

/** Of each window, how many had this status. */
function perWindow(sent: readonly Sent[], status: number): string[] {
  const windows = Math.ceil(SECONDS / WINDOW_SECONDS);
  return Array.from({ length: windows }, (_, index) => {
    const within = sent.filter(({ at }) => Math.floor(at / WINDOW_SECONDS) === index);
    return `${within.filter((one) => one.status === status).length}/${within.length}`;
  });
}

// The attacks mostly wait: some at once, each on a server of its own.
test.concurrent.each(["crash at once", "crash later", "crash by a rejection", "crash by hanging"])(
  "%s: no spam of others passes, and nobody else is refused",
  async (crash) => {
    const server = await start({ modules: [bridge({ modules: [{ path: modulePath("crashes.ts") }] })] });
    const users = ["mallory", "bob", "carol"].map((name) => registerUser(server, name));
    const [mallory, bob, carol] = (await Promise.all(users)) as [Client, Client, Client];
    const own: string[] = [];
    for (const user of [mallory, bob, carol]) {
      const { status, body } = await user.createRoom();
      expect(status).toBe(200);
      own.push(body.room_id);
    }
    const [mallorys, bobs, carols] = own as [string, string, string];
    const [crashes, spam, honest] = await Promise.all([
      keepSaying(mallory, mallorys, crash, 5_000),
      keepSaying(bob, bobs, "spam", 750),
      keepSaying(carol, carols, "hello", 700),
    ]);
    const passed = spam.filter(({ status }) => status === 200).length;
    const ends = logged(server, "the module host ended (").length;
    const report =
      `spam that passed per ${WINDOW_SECONDS} s: ${perWindow(spam, 200).join(", ")}; honest messages that were refused: ` +
      `${perWindow(honest, 403).join(", ")}; Node ended ${ends} times; the attacker's were ` +
      `${crashes.map(({ status }) => status).join(", ")}`;
    console.log(`${crash}: ${report}`);
    expect(passed).toBeLessThanOrEqual(MOST_UNJUDGED);
    expect(honest.filter(({ status }) => status !== 200)).toEqual([]);
    // Only the attacker is set aside, and everything that they say from then on.
    expect(logged(server, "is not asked check_event_for_spam about")).toEqual([
      expect.stringContaining(`about ${mallory.userId} for 10 min`),
    ]);
    expect(crashes.slice(1).map(({ status }) => status)).toEqual(crashes.slice(1).map(() => 403));
    expect(await metric(server, "synapse_module_bridge_quarantines")).toBe(1);
    observed(9, { outcome: report });
    await server.stop();
  },
  120_000,
);

test.concurrent.each(["crash at once", "crash by hanging"])(
  "%s: no spam of other servers passes, though their messages have less time",
  async (crash) => {
    const remoteSpam = { module: "remote_spam.RemoteSpam" };
    const pythonPath = [shim, dirname(modulePath("remote_spam.py"))];
    const modules = [remoteSpam, bridge({ modules: [{ path: modulePath("crashes.ts") }] })];
    const server = await start({ modules, pythonPath });
    const mallory = await registerUser(server, "mallory");
    const { body: room } = await mallory.createRoom();
    const query = { seconds: String(SECONDS), per_second: "10" };
    const spam = new Client(server.baseUrl).get("/_synapse/client/remote_spam", query);
    await pause(1_000);
    await keepSaying(mallory, room.room_id, crash, 5_000);
    const { asked, passed } = (await spam).body;
    const report = `${passed.length} of ${asked} messages of fifty servers passed`;
    console.log(`${crash}: ${report}`);
    expect(passed.length).toBeLessThanOrEqual(MOST_UNJUDGED);
    expect(logged(server, "is not asked check_event_for_spam about")).toEqual([
      expect.stringContaining(`about ${mallory.userId} for 10 min`),
    ]);
    observed(9, { outcome: report });
    await server.stop();
  },
  120_000,
);

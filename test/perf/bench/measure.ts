// One measurement on one variant: asks bench_driver.py, and for whole messages a client.
import { Client, succeeded } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { logged } from "../../support/log.js";
import { childrenOf, memoryOf, shareOfMemoryOf } from "../../support/processes.js";
import type { Variant } from "./variants.js";

export interface Timing {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly per_second: number;
  readonly cpu: number;
  readonly begun: number;
}

type Options = Readonly<Record<string, string | number>>;

async function driver<T>(server: Homeserver, options: Options): Promise<T> {
  const query = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, String(value)]));
  const answer = await new Client(server.baseUrl).get("/_synapse/client/bench", query);
  return succeeded("the benchmark's driver", answer);
}

export const time = ({ server }: Variant, options: Options): Promise<Timing> => driver(server, options);

/** A blocking echo to Node over a pipe: what no child process can beat. */
export function echo(variant: Variant, calls: number): Promise<Pick<Timing, "p50" | "p99">> {
  const program = "process.stdin.on('data', (bytes) => process.stdout.write(bytes))";
  return driver(variant.server, { calls, echo: JSON.stringify([process.execPath, "-e", program]) });
}

/** Microseconds from the end of the only Node of a server until its successor refuses a message. */
export async function restart(server: Homeserver): Promise<number> {
  const [node] = childrenOf(server.pid);
  if (node === undefined) throw new Error("the server to restart Node of has none");
  return (await driver<{ max: number }>(server, { kill: node })).max;
}

/** Microseconds that it takes a client to send a message. */
export async function sendMessage({ name, user, room }: Variant): Promise<number> {
  const started = performance.now();
  succeeded(`${name}: a message`, await user.say(room, "a message"));
  return (performance.now() - started) * 1e3;
}

/** Seconds that Synapse's own thread has used. */
export async function cpuSeconds(server: Homeserver): Promise<number> {
  return (await driver<{ cpu_seconds: number }>(server, {})).cpu_seconds;
}

// Each as often at the beginning and the end as in between: messages make work that Synapse does during those after them.
const IN_TURNS = "none asked asked none asked none none asked".split(" ") as readonly ("none" | "asked")[];

/**
 * Microseconds of Synapse's own thread for each message that a client sends: while the module is asked about its spam, and
 * while it is asked nothing, in one process, since two of them differ by more than a module costs.
 */
export async function sendMessages(
  variant: Variant,
  count: number,
): Promise<Record<"asked" | "none", number>> {
  const used = { asked: 0, none: 0 };
  for (const turn of IN_TURNS) {
    await driver(variant.server, { only: turn === "asked" ? "check_event_for_spam" : "none" });
    const before = await cpuSeconds(variant.server);
    for (let sent = 0; sent < count; sent++) await sendMessage(variant);
    used[turn] += ((await cpuSeconds(variant.server)) - before) * 1e6;
  }
  await driver(variant.server, { only: "all" });
  const messages = (count * IN_TURNS.length) / 2;
  return { asked: used.asked / messages, none: used.none / messages };
}

/** How many calls of a bridge its policy has answered so far: where it does, a burst has outlasted the deadline. */
export function answersByPolicy({ server }: Variant): number {
  return logged(server, " outcome=policy ").length;
}

/** Megabytes: resident of Synapse; of the Node that it has, its share (PSS), as the benchmark runs in Node itself. */
export function memory({ pid }: Homeserver): { synapse: number; node: number | undefined } {
  const [node] = childrenOf(pid);
  return { synapse: megabytes(memoryOf(pid)), node: node && megabytes(shareOfMemoryOf(node)) };
}

const megabytes = (bytes = Number.NaN) => bytes / 2 ** 20;

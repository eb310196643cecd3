/** A daemonised Synapse has left its folder and its terminal when modules load: there is one Node, and it ends with it. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Daemon, prepareDaemon } from "../../support/daemon.js";
import { host } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { observed } from "../../support/observed.js";
import { freePort } from "../../support/ports.js";
import { childrenOf, isGone } from "../../support/processes.js";

const policy = `import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    check_event_for_spam: ({ event }) => (event.content.body === "no" ? Codes.FORBIDDEN : NOT_SPAM),
  },
});`;

let daemon: Daemon;
let node: number;

jest.setTimeout(60_000);
afterAll(() => daemon?.stop());

/** Its module is named by a path that only holds in the folder that it is started in. */
async function prepare(source: string): Promise<void> {
  const modules = [bridge({ modules: [{ path: "policy.ts" }] })];
  daemon = prepareDaemon({ modules, pythonPath: [shim], port: await freePort() });
  writeFileSync(join(daemon.dir, "policy.ts"), source);
}

async function start(): Promise<{ baseUrl: string; pid: number }> {
  await prepare(policy);
  const { pid } = await daemon.launch();
  const baseUrl = await daemon.up();
  node = host(pid);
  return { pid, baseUrl };
}

/** Ends a daemon by a signal, and waits for its Node to follow. */
async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  await waitFor("Synapse to end", () => isGone(pid));
  const began = performance.now();
  await waitFor("Node to end", () => isGone(node), 2_500);
  console.info(`row 36: Node ended ${(performance.now() - began).toFixed(0)} ms after a daemon's ${signal}`);
  expect(logged(daemon, "it is restarted")).toEqual([]);
  await daemon.stop();
}

/** The sockets and files that a process has open, but for those that any process may open for itself. */
function opened(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      const target = readlinkSync(join(folder, fd));
      return /^(anon_inode:|\/dev\/null$|\/dev\/u?random$)/.test(target) ? [] : [target];
    } catch {
      return []; // it has been closed meanwhile
    }
  });
}

describe("started once,", () => {
  let pid: number;
  let alice: Client;
  let room: string;
  beforeAll(async () => {
    const started = await start();
    pid = started.pid;
    alice = await registerUser({ ...started, sharedSecret: daemon.sharedSecret }, "alice");
    room = (await alice.createRoom()).body.room_id;
  });

  test("it has one Node, which decides", async () => {
    expect((await alice.say(room, "yes")).status).toBe(200);
    expect((await alice.say(room, "no")).status).toBe(403);
    expect(contextWarnings(daemon)).toEqual([]);
    observed(36, { outcome: "200, and 403 by the module" });
  });

  test("Node has nothing of Synapse's but the five pipes between them, and keeps no folder busy", () => {
    // Four to talk through, and the one that ends Node with Synapse.
    const shared = opened(node).filter((target) => opened(pid).includes(target));
    expect(shared.filter((target) => !target.startsWith("pipe:"))).toEqual([]);
    expect(new Set(shared).size).toBeLessThanOrEqual(5);
    expect(readlinkSync(`/proc/${node}/cwd`)).toBe("/");
    expect(readFileSync(`/proc/${node}/status`, "utf8")).toMatch(/^Umask:\s+0027$/m);
    observed(36, { outcome: "the five pipes alone are shared" });
  });

  test("a second one, which gets no port, ends with its own Node and leaves the first's alone", async () => {
    const second = await daemon.launch();
    const others = new Set<number>();
    const ended = () => {
      for (const other of childrenOf(second.pid)) others.add(other);
      return isGone(second.pid);
    };
    await waitFor("the second to end", ended, 30_000);
    for (const other of others) await waitFor("its Node to end", () => isGone(other));
    expect(childrenOf(pid)).toEqual([node]);
    expect((await alice.say(room, "no")).status).toBe(403);
    observed(36, { outcome: "the second ends with its Node; 403 by the first's module" });
  });

  test("SIGTERM to it ends Node as well", () => end(pid, "SIGTERM"));
});

test("SIGKILL to it ends Node as well", async () => end((await start()).pid, "SIGKILL"));

test("what stops it at its start is in the log, since nobody sees what it prints", async () => {
  await prepare("export default { callbacks: { user_may_invit() {} } };");
  const { pid, stderr } = await daemon.launch();
  expect(stderr).toBe("");
  const [said] = await waitFor("the line", () => {
    const lines = logged(daemon, " CRITICAL synapse_module_bridge");
    return lines.length > 0 ? lines : undefined;
  });
  expect(said).toMatch(/cannot start.*policy\.ts.*unknown callback user_may_invit \(did you mean/);
  await waitFor("it to end", () => isGone(pid));
});

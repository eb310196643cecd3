// What becomes of notifications while processes and their Nodes are killed in the middle of traffic, on PostgreSQL and Redis.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { childrenOf } from "../../support/processes.js";
import { type Peer, startPeer } from "../features/peer.js";
import { type Deployed, deploy } from "./deployed.js";

type Running = Pick<Deployment, "process" | "start">;

const nodeOf = (running: Running, name: string) => childrenOf(running.process(name).pid)[0];

async function killNode(running: Running, name: string): Promise<void> {
  const before = nodeOf(running, name);
  process.kill(before as number, "SIGKILL");
  await waitFor("another Node", () => {
    const now = nodeOf(running, name);
    return now !== undefined && now !== before;
  });
}

async function killProcess(running: Running, name: string): Promise<void> {
  process.kill(running.process(name).pid, "SIGKILL");
  await running.process(name).exited;
}

/** Sends messages until `disturb` is over, and some more. Resolves with their ids. */
async function sendDuring(alice: Client, room: string, disturb: () => Promise<void>): Promise<string[]> {
  const sent: string[] = [];
  let isOver = false;
  const disturbed = disturb().finally(() => {
    isOver = true;
  });
  const say = async () => sent.push((await alice.say(room, "hello")).body.event_id);
  while (!isOver) await say();
  for (let n = 0; n < 5; n++) await say();
  await disturbed;
  return sent;
}

describe("the example that tells of each message once, which two processes ask", () => {
  let deployment: Deployment;
  let peer: Peer;
  let alice: Client;
  let room: string;

  beforeAll(async () => {
    peer = await startPeer();
    const module = { path: examplePath("told-once.ts"), grants: ["store"] };
    deployment = await startDeployment({
      modules: [
        bridge({
          modules: [{ ...module, config: { url: `${peer.baseUrl}/told` } }],
          callbacks: { on_new_event: { workers: ["worker1", "worker2"] } },
        }),
      ],
      workers: ["worker1", "worker2"],
      pythonPath: [shim],
    });
    const { baseUrl } = deployment.process(main);
    alice = await registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, "alice");
    room = (await alice.createRoom()).body.room_id;
  }, 120_000);

  afterAll(async () => {
    await deployment?.stop();
    await peer?.close();
  });

  /** How often the service was told of each. */
  function told(events: readonly string[]): number[] {
    const ids = peer.asked.map(({ body }) => JSON.parse(body).event_id);
    return events.map((event) => ids.filter((id) => id === event).length);
  }

  test("each is told once", async () => {
    const sent = await sendDuring(alice, room, async () => undefined);
    await waitFor("all of them", () => told(sent).every((times) => times >= 1));
    expect(new Set(told(sent))).toEqual(new Set([1]));
  });

  test("none is told twice, and none is missed but what a killed one had claimed", async () => {
    let kills = 0;
    const sent = await sendDuring(alice, room, async () => {
      for (const name of ["worker1", "worker2"]) {
        await killNode(deployment, name);
        await killProcess(deployment, name);
        await deployment.start(name);
        kills += 2;
      }
    });
    // The messages of one room come one after the other, so each that was killed can have claimed one.
    const missed = () => told(sent).filter((times) => times === 0).length;
    await waitFor("all but those", () => missed() <= kills && told(sent).at(-1) === 1);
    expect(Math.max(...told(sent))).toBe(1);
    expect(sent.length).toBeGreaterThan(50);
  }, 120_000);
});

describe("without `workers`, the process that runs background tasks", () => {
  let deployed: Deployed;
  let alice: Client;
  let room: string;

  beforeAll(async () => {
    deployed = await deploy(
      {},
      { workers: ["worker1"], extraConfig: { run_background_tasks_on: "worker1" } },
    );
    alice = await deployed.user("alice");
    room = (await alice.createRoom()).body.room_id;
  }, 90_000);

  afterAll(() => deployed?.stop());

  /** How often a Node was told of each. */
  function told(events: readonly string[]): number[] {
    const ids = deployed
      .seen()
      .filter(({ callback }) => callback === "on_new_event")
      .map(({ event_id }) => event_id);
    return events.map((event) => ids.filter((id) => id === event).length);
  }
  const areTold = (events: readonly string[]) =>
    waitFor("all of them", () => told(events).every((times) => times >= 1));

  test("is told of each at least once while its Node is killed again and again", async () => {
    const sent = await sendDuring(alice, room, async () => {
      for (let n = 0; n < 3; n++) await killNode(deployed, "worker1");
    });
    await areTold(sent);
    expect(Math.max(...told(sent))).toBeLessThanOrEqual(3);
  }, 60_000);

  test("is not told of what happens while it is down itself", async () => {
    const before = await sendDuring(alice, room, async () => undefined);
    await areTold(before);
    await killProcess(deployed, "worker1");
    const meanwhile = await sendDuring(alice, room, async () => undefined);
    await deployed.start("worker1");
    const after = await sendDuring(alice, room, async () => undefined);
    await areTold(after);
    expect(new Set(told(meanwhile))).toEqual(new Set([0]));
  }, 60_000);
});

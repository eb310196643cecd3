/** Each process of Synapse has a Node of its own, or none: where it runs, what it registers, and how it dies alone. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import type { Client } from "../../support/client.js";
import { logged } from "../../support/log.js";
import { metric } from "../../support/metrics.js";
import { childrenOf, isGone } from "../../support/processes.js";
import { type Deployed, deploy } from "./deployed.js";

const names = ["main", "worker1", "persister1"] as const;
type Name = (typeof names)[number];
const layout = { workers: ["worker1"], writers: { events: ["persister1"] } };

let deployed: Deployed;
let alice: Client;
let room: string;

async function begin(bridge: Readonly<Record<string, unknown>>, extraConfig = {}) {
  deployed = await deploy(bridge, { ...layout, extraConfig });
  alice = await deployed.user("alice");
  room = (await alice.createRoom()).body.room_id;
}

const hostsOf = (name: Name) => childrenOf(deployed.process(name).pid);
const allHosts = () => names.map((name) => hostsOf(name).length);
const say = (name: Name, content: object) =>
  deployed.through(name, alice).send(room, { msgtype: "m.text", body: randomUUID(), ...content });
const statusesOf = async (content: object) =>
  Promise.all(names.map(async (name) => (await say(name, content)).status));
const refused = { refuse: true };

/** The callbacks that a process has registered, as it says at its start. */
const registered = (name: Name) => {
  const said = /synapse_module_bridge.* callbacks: (.*)$/m.exec(deployed.process(name).log())?.[1];
  return said?.split(", ") ?? [];
};

/** The processes whose Node is told of new events, each as often as it is told of them. */
async function toldOfThree(): Promise<string[]> {
  deployed.forget();
  const sent: string[] = [];
  for (const name of names) sent.push((await say(name, {})).body.event_id);
  const told = () =>
    deployed
      .seen()
      .filter(({ callback, event_id }) => callback === "on_new_event" && sent.includes(String(event_id)));
  await waitFor("three notifications", () => told().length >= sent.length);
  return told().map(({ process }) => process);
}

describe("without `workers`", () => {
  beforeAll(() => begin({ timeout: "20s" }), 90_000);
  afterAll(() => deployed?.stop());

  test("each process starts its own Node, and registers every callback but the one that would be asked in each", () => {
    expect(allHosts()).toEqual([1, 1, 1]);
    for (const name of names) expect(registered(name)).toContain("check_event_allowed");
    expect(names.filter((name) => registered(name).includes("on_new_event"))).toEqual(["main"]);
  });

  test("a Node that is killed under traffic is missed by its own process alone, and comes back", async () => {
    const [before = 0] = hostsOf("worker1");
    const others = [...hostsOf("main"), ...hostsOf("persister1")];
    deployed.forget();
    // Refused by main and persister1 long after the other's Node has died, whose call is asked again once it is back.
    const hanging = names.map((name) => say(name, { ...refused, after_ms: 2_000 }));
    const underWay = () => deployed.seen().filter(({ callback }) => callback === "check_event_allowed");
    await waitFor("a call in each process", () => underWay().length >= names.length);
    process.kill(before, "SIGKILL");
    const statuses: Record<Name, number[]> = { main: [], worker1: [], persister1: [] };
    const traffic = async (name: Name) => {
      for (let n = 0; n < 20; n++) statuses[name].push((await say(name, refused)).status);
    };
    await Promise.all(names.map(traffic));
    expect((await Promise.all(hanging)).map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(new Set([...statuses.main, ...statuses.persister1])).toEqual(new Set([403]));
    await waitFor("the next Node", () => hostsOf("worker1").some((pid) => pid !== before));
    await waitFor("it to answer", async () => (await say("worker1", refused)).status === 403);
    expect([...hostsOf("main"), ...hostsOf("persister1")]).toEqual(others);
    const noticed = (name: Name) => logged(deployed.process(name), "the module host ended").length;
    expect(names.map(noticed)).toEqual([0, 1, 0]);
  });

  test("its metrics are those of its process", async () => {
    const ends = (name: Name) => metric(deployed.process(name), "synapse_module_bridge_host_ends_total");
    expect(await Promise.all(names.map(ends))).toEqual([0, 1, 0]);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "a worker that ends by %s takes its Node along, and no other",
    async (signal) => {
      const name = signal === "SIGTERM" ? "worker1" : "persister1";
      const [host = 0] = hostsOf(name);
      const kept = hostsOf("main");
      process.kill(deployed.process(name).pid, signal);
      expect(await deployed.process(name).exited).toBe(signal === "SIGTERM" ? 0 : null);
      await waitFor("its Node to be gone", () => isGone(host), 2_500);
      expect(hostsOf("main")).toEqual(kept);
      expect((await alice.whoami()).status).toBe(200);
    },
  );
});

describe("with `workers: [main, worker1]` and on_new_event for worker1", () => {
  beforeAll(
    () => begin({ workers: ["main", "worker1"], callbacks: { on_new_event: { workers: ["worker1"] } } }),
    90_000,
  );
  afterAll(() => deployed?.stop());

  test("the third process starts no Node, says so, and asks nobody", async () => {
    expect(allHosts()).toEqual([1, 1, 0]);
    deployed.forget();
    expect(await statusesOf(refused)).toEqual([403, 403, 200]);
    const said = logged(deployed.process("persister1"), "no module runs here");
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /WARNING.*`workers` does not name this process \(persister1\).*Add persister1 to `workers`/,
    );
    const asking = deployed.seen().filter(({ callback }) => callback === "check_event_allowed");
    expect(asking.map(({ process }) => process).sort()).toEqual(["main", "worker1"]);
  });

  test("only worker1 registers on_new_event, and its Node is told of each event once", async () => {
    expect(names.filter((name) => registered(name).includes("on_new_event"))).toEqual(["worker1"]);
    expect(await toldOfThree()).toEqual(["worker1", "worker1", "worker1"]);
  });
});

describe("with on_new_event in the background, which a worker does", () => {
  beforeAll(
    () =>
      begin(
        { callbacks: { on_new_event: { workers: ["background"] } } },
        { run_background_tasks_on: "worker1" },
      ),
    90_000,
  );
  afterAll(() => deployed?.stop());

  test("that worker alone registers it, and its Node is told of each event once", async () => {
    expect(names.filter((name) => registered(name).includes("on_new_event"))).toEqual(["worker1"]);
    expect(await toldOfThree()).toEqual(["worker1", "worker1", "worker1"]);
  });

  test("the end of the deployment leaves no Node behind", async () => {
    const hosts = names.flatMap(hostsOf);
    expect(hosts).toHaveLength(3);
    await deployed.stop();
    for (const host of hosts) await waitFor("Node to be gone", () => isGone(host));
  });
});

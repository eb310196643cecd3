/** The alert rules and the dashboard on a real Prometheus that scrapes a real Synapse with a worker: each fault makes its alert. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import type { Client } from "../../support/client.js";
import { host, interruptibleNode, nextHost } from "../../support/host.js";
import { modeCommand } from "../../support/mode-command.js";
import { installPackages } from "../../support/packages.js";
import { harnessFile, projectRoot } from "../../support/paths.js";
import { type Alert, promtool } from "../../support/prometheus.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath, order } from "../faults/modules.js";
import { expressions, rules } from "./expressions.js";
import { type Monitored, startMonitored } from "./monitored.js";

const here = (name: string) => join(projectRoot, "test/synapse/monitoring", name);
const files = temporaryFolder();
const [mood, behaveConfig] = [files.path("mood"), files.path("behave.json")];
const { node, down } = interruptibleNode(files);
const patienceMs = 60_000;
jest.setTimeout(3 * patienceMs);

let monitored: Monitored;
let alice: Client;
let room: string;

beforeAll(async () => {
  writeFileSync(mood, "quiet");
  writeFileSync(behaveConfig, '{ "name": "before" }');
  const behave = { path: modulePath("behave.ts") };
  const modules = [
    { ...behave, config_file: behaveConfig },
    { ...behave, name: "apart", config: { name: "apart" }, isolated: true },
    { ...behave, name: "shade", config: { name: "shade" }, shadow: true },
    { path: modulePath("setup.ts"), config: { mood } },
    { path: here("modules/varied.ts") },
  ];
  const on_failure = { local: "defer", federated: "allow" };
  monitored = await startMonitored([bridge({ modules, node, timeout: "2s", on_failure })]);
  alice = await monitored.user("alice");
  room = (await alice.createRoom({ preset: "public_chat" })).body.room_id;
}, 120_000);

afterAll(async () => {
  await monitored?.stop();
  files.remove();
});

/** Somebody who has not been quarantined yet, in the room. */
async function newcomer(name: string): Promise<Client> {
  const client = await monitored.user(name);
  await client.join(room);
  return client;
}

const nodeOf = (name: string) => host(monitored.deployment.process(name).pid);

async function killNode(name: string): Promise<void> {
  const { pid } = monitored.deployment.process(name);
  const before = host(pid);
  process.kill(before, "SIGKILL");
  await nextHost(pid, before);
  await waitFor("the new Node", async () => {
    const [up] = await monitored.prometheus.query(`synapse_module_bridge_up{instance="${name}"}`);
    return up?.value === 1 && host(pid) !== before;
  });
}

const firing = async (name: string): Promise<Alert[]> =>
  (await monitored.prometheus.alerts()).filter(
    ({ labels, state }) => labels.alertname === name && state === "firing",
  );

/** Waits until the alert fires with these labels. Goes on with the fault meanwhile. */
async function fires(
  name: string,
  labels: Readonly<Record<string, string>>,
  goOn: () => Promise<unknown> = async () => undefined,
): Promise<Alert> {
  return waitFor(
    name,
    async () => {
      await goOn();
      const found = await firing(name);
      return found.find((alert) =>
        Object.entries(labels).every(([key, value]) => alert.labels[key] === value),
      );
    },
    patienceMs,
  );
}

test("promtool finds nothing wrong with the rules", async () => {
  expect(await promtool("check", "rules", join(projectRoot, "docs/admin/alerts.yml"))).toContain(
    `${rules.length} rules found`,
  );
});

test("each alert fires when it should, and only then", async () => {
  expect(await promtool("test", "rules", here("alerts.test.yml"))).toContain("SUCCESS");
});

describe("before any fault", () => {
  beforeAll(async () => {
    const more = { msgtype: "m.text", body: "hello" };
    for (let message = 0; message < 3; message++) {
      await alice.send(room, more);
      await monitored.deployment.through("worker1", alice).send(room, more);
    }
    await waitFor("the calls to be scraped", async () => {
      const samples = await monitored.prometheus.query(
        "sum by (instance) (rate(synapse_module_bridge_module_calls_total[10s])) > 0",
      );
      return samples.length === 2;
    });
  });

  test.each(expressions)(
    "$of names metrics and labels that there are",
    async ({ metrics, labels, promql }) => {
      const series = await Promise.all(metrics.map((metric) => monitored.prometheus.series(metric)));
      expect(metrics.filter((_, index) => series[index]?.length === 0)).toEqual([]);
      const known = new Set(series.flat().flatMap((one) => Object.keys(one)));
      expect(labels.filter((label) => !known.has(label))).toEqual([]);
      // The expression itself is understood.
      await monitored.prometheus.query(promql);
    },
  );

  test.each(expressions.filter(({ of }) => of.startsWith("the panel")))(
    "$of shows something for $promql",
    async ({ promql }) => {
      expect((await monitored.prometheus.query(promql)).length).toBeGreaterThan(0);
    },
  );

  test("no alert fires", async () => {
    expect(await monitored.prometheus.alerts()).toEqual([]);
  });
});

describe("a fault makes its alert", () => {
  test("a handler that throws", async () => {
    await alice.send(room, order("throw"));
    const { annotations } = await fires("ModuleFails", { module: "behave", callback: "check_event_allowed" });
    expect(annotations.summary).toBe("behave throws at check_event_allowed");
  });

  test("a policy that refuses everybody", async () => {
    const refuse = () => alice.send(room, order("refuse", { callback: "check_event_for_spam" }));
    await fires("ModuleRefusesMost", { module: "behave", callback: "check_event_for_spam" }, refuse);
    expect(await firing("ModuleRefusesMost")).toHaveLength(1);
  });

  test("a module that takes long", async () => {
    const slow = () => alice.send(room, order("slow", { ms: 1_200, for: "before" }));
    await fires("ModuleSlow", { module: "behave", callback: "check_event_allowed", instance: "main" }, slow);
    expect((await firing("ModuleSlow")).map(({ labels }) => labels.module)).toEqual(["behave"]);
  });

  test("a module that misses its deadlines", async () => {
    const hang = () => alice.send(room, order("hang"));
    const at = { callback: "check_event_allowed" };
    await fires("ModuleBreakerOpen", { ...at, module: "behave", instance: "main" }, hang);
    await fires("PolicyAnswersForModules", { ...at, reason: "breaker" }, hang);
  });

  test("a Node that ends again and again", async () => {
    for (let end = 0; end < 3; end++) await killNode("worker1");
    await fires("ModuleBridgeRestarts", { instance: "worker1" });
    expect((await firing("ModuleBridgeRestarts")).map(({ labels }) => labels.instance)).toEqual(["worker1"]);
  });

  test("a Node that cannot start", async () => {
    writeFileSync(down, "");
    process.kill(nodeOf("worker1"), "SIGKILL");
    await fires("ModuleBridgeDown", { instance: "worker1" });
    expect((await firing("ModuleBridgeDown")).map(({ labels }) => labels.instance)).toEqual(["worker1"]);
    // Of the next one, a setup fails.
    writeFileSync(mood, "fail");
    rmSync(down);
    await fires("ModuleNotSetUp", { instance: "worker1", module: "setup" });
    expect(await firing("ModuleBridgeDown")).toEqual([]);
    writeFileSync(mood, "quiet");
    await waitFor("the setup", async () => (await firing("ModuleNotSetUp")).length === 0, patienceMs);
  });

  test("a user whose messages end Node", async () => {
    const bob = await newcomer("bob");
    await bob.send(room, order("exit"));
    await fires("ModuleQuarantine", { module: "behave", instance: "main" });
  });

  test("notifications that no module gets", async () => {
    const carol = await newcomer("carol");
    await carol.send(room, { msgtype: "m.text", body: "x", ends: true });
    await fires("ModuleQuarantine", { module: "varied" });
    await carol.send(room, { msgtype: "m.text", body: "x" });
    await fires("NotificationsDropped", { callback: "on_new_event", reason: "quarantine" });
  });

  test("a thread that ends again and again", async () => {
    for (const name of ["dave", "erin", "frank"])
      await (await newcomer(name)).send(room, order("exit", { for: "apart" }));
    await fires("ModuleThreadRestarts", { module: "apart", instance: "main" });
  });

  test("a mode that an admin has set", async () => {
    const packages = await installPackages(harnessFile("deployment.txt"));
    const config = join(monitored.deployment.dir, "homeserver.yaml");
    const mode = async (...args: string[]) =>
      expect((await modeCommand([config, "varied", ...args], monitored.deployment.dir, packages)).code).toBe(
        0,
      );
    const inMode = (name: string) =>
      monitored.prometheus.query(`sum(synapse_module_bridge_module_mode{module="varied", mode="${name}"})`);
    await mode("shadow");
    await fires("ModuleModeOverridden", { module: "varied" });
    await waitFor("both processes", async () => (await inMode("shadow"))[0]?.value === 2, patienceMs);
    expect((await inMode("enforce"))[0]?.value).toBe(0);
    await mode("reset");
    await waitFor("the end", async () => (await firing("ModuleModeOverridden")).length === 0, patienceMs);
  });

  test("a module that was reloaded in one process only", async () => {
    const versions = () => monitored.prometheus.series('synapse_module_bridge_module_info{module="behave"}');
    const [before] = await versions();
    writeFileSync(behaveConfig, '{ "name": "after" }');
    process.kill(monitored.deployment.process("main").pid, "SIGHUP");
    await fires("ModuleVersionsDiffer", { module: "behave" });
    const [main, ...more] = (await versions()).filter(({ instance }) => instance === "main");
    // What ran before is gone, and the files are the same.
    expect(more).toEqual([]);
    expect(main?.config).not.toBe(before?.config);
    expect(main?.files).toBe(before?.files);
    process.kill(monitored.deployment.process("worker1").pid, "SIGHUP");
    await waitFor("both", async () => (await firing("ModuleVersionsDiffer")).length === 0, patienceMs);
  });

  test("no bridge at all", async () => {
    expect(existsSync(down)).toBe(false);
    await Promise.all(Object.values(monitored.deployment.processes).map((process) => process.stop()));
    await fires("ModuleBridgeMissing", {});
  });
});

/** With Synapse's tracing on, each call that is forwarded is one span of the request that made it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Answer, type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, interruptibleNode } from "../../support/host.js";
import { contextWarningKinds, contextWarnings, logged } from "../../support/log.js";
import { installPackages } from "../../support/packages.js";
import { projectRoot } from "../../support/paths.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "../faults/boot.js";
import { modulePath, order } from "../faults/modules.js";
import { type Collector, type Span, startCollector } from "./collector.js";

const files = temporaryFolder();
const { node, down } = interruptibleNode(files);
let collector: Collector;
let server: Homeserver;
let untraced: Homeserver;
let telling: Homeserver;
let plain: Homeserver;
let alice: Client;
let room: string;

beforeAll(async () => {
  const packages = await installPackages(join(projectRoot, "test/synapse/tracing/packages.txt"));
  collector = await startCollector(packages);
  const pythonPath = [packages, shim, modulePath("")];
  const start = (module: ModuleEntry, more: object = {}) =>
    boot({
      modules: [module],
      extraConfig: { opentracing: { ...collector.config, ...more } },
      pythonPath,
    });
  const behave = { path: modulePath("behave.ts") };
  const deciding = bridge({
    modules: [behave, { ...behave, name: "shade", shadow: true }],
    node,
    timeout: "3s",
  });
  const listen = { path: modulePath("listen.ts"), config: { heard: files.path("heard") } };
  [server, untraced] = await Promise.all([start(deciding), start(deciding, { enabled: false })]);
  [telling, plain] = await Promise.all([
    start(bridge({ modules: [listen] })),
    start({ module: "trivial.Trivial" }),
  ]);
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 90_000);

afterAll(async () => {
  await Promise.all([server, untraced, telling, plain].map((started) => started?.stop()));
  await collector?.stop();
  files.remove();
});

/** The spans of calls that these modules were asked in. */
const spansOf = (modules: string) =>
  collector.spans().filter(({ name, tags }) => name.startsWith("module_bridge.") && tags.modules === modules);

/** Sends what a module is to do, and gives the spans of the calls about it, once they have been reported. */
async function traced(content: object, modules: string, calls: number): Promise<[Answer, Span[]]> {
  const before = new Set(spansOf(modules).map(({ id }) => id));
  const answer = await alice.send(room, content);
  const fresh = () => spansOf(modules).filter(({ id }) => !before.has(id));
  await waitFor(`${calls} spans`, () => fresh().length >= calls);
  return [answer, fresh()];
}

const allowed = { module: "", outcome: "allowed", answer: "", reason: "" };
const rows: [act: string, status: number, ...tags: Record<string, unknown>[]][] = [
  ["pass", 200, allowed, allowed],
  ["refuse", 403, { module: "behave", outcome: "refused" }],
  ["replace", 200, { module: "behave", outcome: "replaced" }, allowed],
  ["throw", 500, { module: "behave", outcome: "fault", error: true }],
  ["hang", 503, { outcome: "policy", answer: "defer", reason: "deadline", error: true }],
];

describe("a message that a module is to", () => {
  test.each(rows)("%s: one span a call, with what came of it", async (act, status, ...tags) => {
    const [answer, spans] = await traced(order(act), "behave", tags.length);
    expect(answer.status).toBe(status);
    const callbacks = ["check_event_allowed", "check_event_for_spam"].slice(0, tags.length);
    expect(spans.map(({ name }) => name)).toEqual(callbacks.map((callback) => `module_bridge.${callback}`));
    for (const [index, expected] of tags.entries()) {
      const callback = callbacks[index];
      const span = { callback, room_id: room, user_id: alice.userId, ...expected };
      expect(spans[index]?.tags).toMatchObject(span);
      expect(spans[index]?.tags.error).toBe(expected.error);
    }
    const [request, ...others] = await Promise.all(spans.map(collector.root));
    expect(request?.name).toBe("RoomSendEventRestServlet");
    expect(request?.tags.request_id).toMatch(/^PUT-\d+$/);
    for (const other of others) expect(other.id).toBe(request?.id);
  });
});

test("a shadow module's span belongs to a background process, as Synapse has it", async () => {
  const refused = ({ tags }: Span) => tags.outcome === "would_refuse" && tags.module === "shade";
  const span = await waitFor("its span", () => spansOf("shade").find(refused));
  expect((await collector.root(span)).name).toBe("bgproc.module_bridge_shadow");
});

test("so does that of a notification; Synapse handles its log contexts as it does for a module in Python", async () => {
  const [event_id = ""] = await Promise.all([telling, plain].map(sayHello));
  const about = ({ tags }: Span) => tags.event_id === event_id;
  const span = await waitFor("its span", () => spansOf("listen").find(about));
  expect(span).toMatchObject({ name: "module_bridge.on_new_event", tags: { outcome: "allowed" } });
  expect((await collector.root(span)).name).toBe("bgproc.module_bridge_notification");
  // What Synapse itself warns of, where a module wants to hear of events.
  const known = [...contextWarningKinds(plain)];
  expect(known).toEqual(expect.arrayContaining([...contextWarningKinds(telling)]));
});

async function sayHello(to: Homeserver): Promise<string> {
  const bob = await registerUser(to, "bob");
  const { room_id } = (await bob.createRoom()).body;
  return (await bob.say(room_id, "hello")).body.event_id;
}

test("a call that no Node was there for has its span as well", async () => {
  writeFileSync(down, "");
  process.kill(host(server.pid), "SIGKILL");
  const [answer, [span]] = await traced(order("refuse"), "behave", 1);
  rmSync(down);
  expect(answer.status).toBe(503);
  expect(span?.tags).toMatchObject({ outcome: "policy", answer: "defer", reason: "down", error: true });
});

test("without tracing there is none", async () => {
  const bob = await registerUser(untraced, "bob");
  const own = (await bob.createRoom()).body.room_id;
  expect((await bob.send(own, order("refuse"))).status).toBe(403);
  await waitFor("Node to be back", async () => (await alice.say(room, "x")).status === 200);
  await traced(order("pass"), "behave", 2); // reported later than that would have been
  expect(collector.spans().filter(({ tags }) => tags.room_id === own)).toEqual([]);
});

test("no log context and no scope was mishandled", () => {
  for (const { log } of [server, untraced]) expect(contextWarnings({ log })).toEqual([]);
  for (const { log } of [server, untraced, telling]) {
    expect(logged({ log }, "scope")).toEqual([]);
    expect(logged({ log }, "Unhandled")).toEqual([]);
  }
});

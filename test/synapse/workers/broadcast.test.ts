// Broadcasts between processes, on PostgreSQL and Redis: who gets them, when, and what becomes of those that nobody could get.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath, shim } from "../../support/bridge.js";
import { type Body, Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { metric } from "../../support/metrics.js";
import { childrenOf } from "../../support/processes.js";
import { modulePath } from "../features/module-path.js";

const names = [main, "worker1", "worker2"];
const path = "/_synapse/client/broadcaster";
let deployment: Deployment;

beforeAll(async () => {
  const module = { path: modulePath("broadcaster.ts"), grants: ["broadcast", "store"] };
  deployment = await startDeployment({
    modules: [
      bridge({
        timeout: "60s",
        modules: [
          { ...module, config: { path } },
          { ...module, name: "apart", isolated: true, config: { path: `${path}/apart` } },
          { path: examplePath("recipes/mutes.ts"), grants: ["broadcast", "store"] },
        ],
      }),
    ],
    workers: ["worker1", "worker2"],
    pythonPath: [shim],
  });
}, 120_000);

afterAll(() => deployment?.stop());

const client = (process: string) => new Client(deployment.process(process).baseUrl);
const send = async (process: string, body: object, to = path): Promise<Body> =>
  (await client(process).post(to, body)).body;
const state = async (process: string, of = path): Promise<Body> => (await client(process).get(of)).body;
const got = async (process: string, of = path): Promise<unknown[]> =>
  (await state(process, of)).got.map(({ value }: Body) => value);
const hasCome = (value: unknown, where: readonly string[], of = path) =>
  waitFor(`${value} to come`, async () => {
    const all = await Promise.all(where.map((name) => got(name, of)));
    return all.every((values) => values.includes(value));
  });

test.each(names)(
  "a value that %s sends reaches every process within a second, and only once",
  async (from) => {
    for (const at of [path, `${path}/apart`]) {
      const value = `from ${from}`;
      const { at: sentAt } = await send(from, { value }, at);
      await hasCome(value, names, at);
      for (const name of names) {
        const mine = (await state(name, at)).got.filter((one: Body) => one.value === value);
        expect(mine).toHaveLength(1);
        expect(mine[0].at - sentAt).toBeLessThan(1_000);
      }
    }
  },
);

test("what one process has changed, the others forget from their caches", async () => {
  const { baseUrl } = deployment.process(main);
  const [admin, alice] = [
    await registerUser({ ...deployment, baseUrl }, "admin", { admin: true }),
    await registerUser({ ...deployment, baseUrl }, "alice"),
  ];
  const { room_id } = (await alice.createRoom()).body;
  const allAnswer = (status: number) =>
    waitFor(`all to answer ${status}`, async () => {
      const answers = names.map((name) => deployment.through(name, alice).say(room_id, "hello"));
      return (await Promise.all(answers)).every((answer) => answer.status === status);
    });
  await allAnswer(200); // now all remember that she is not muted
  const mutes = `/_synapse/client/mutes?user_id=${encodeURIComponent(alice.userId)}`;
  expect((await admin.put(mutes, {})).body).toEqual({ user_id: alice.userId, muted: true });
  await allAnswer(403);
  await admin.request("DELETE", mutes);
  await allAnswer(200);
});

test("one sender's broadcasts come in order, while others send", async () => {
  const before = (await got("worker2")).length;
  await Promise.all([send("worker1", { times: 100 }), send(main, { value: "between" })]);
  await waitFor("the last", async () => (await got("worker2")).length === before + 101);
  const numbers = (await got("worker2")).slice(before).filter((value) => typeof value === "number");
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test("a process that stands still gets them late", async () => {
  const { pid } = deployment.process("worker2");
  process.kill(pid, "SIGSTOP");
  try {
    for (const n of [1, 2, 3]) await send(main, { value: `late ${n}` });
    await hasCome("late 3", [main, "worker1"]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await hasCome("late 3", ["worker2"]);
  expect((await got("worker2")).slice(-3)).toEqual(["late 1", "late 2", "late 3"]);
});

test("what processes miss while Redis has dropped them comes late, from the database", async () => {
  const { redis } = JSON.parse(readFileSync(join(deployment.dir, "homeserver.yaml"), "utf8"));
  const dropped = () => deployment.process("worker1").log().split("Lost connection to redis").length;
  const before = dropped();
  const socket = connect(redis.path).resume();
  socket.end("CLIENT KILL TYPE pubsub\r\n");
  await once(socket, "close");
  await waitFor("the connection to be lost", () => dropped() > before);
  for (const n of [1, 2, 3]) await send(main, { value: `missed ${n}` });
  await hasCome("missed 3", names);
  for (const name of names) expect((await got(name)).slice(-3)).toEqual(["missed 1", "missed 2", "missed 3"]);
}, 60_000);

test("one that comes while Node is down is lost there, and setup reads what is kept", async () => {
  const [node = 0] = childrenOf(deployment.process("worker1").pid);
  process.kill(node, "SIGKILL");
  await send(main, { value: "while Node was down", keep: true });
  await hasCome("while Node was down", [main, "worker2"]);
  await waitFor("Node to be back", async () => (await state("worker1")).kept === "while Node was down");
  expect(await metric(deployment.process("worker1"), "synapse_module_bridge_up")).toBe(1);
  await send(main, { value: "afterwards" });
  await hasCome("afterwards", names);
});

test("a process that was down starts with what is kept, and rows from before do it no harm", async () => {
  await deployment.process("worker2").stop();
  await send(main, { value: "while it was down", keep: true });
  await deployment.start("worker2");
  expect((await state("worker2")).kept).toBe("while it was down");
  await send("worker1", { value: "to all again" });
  await hasCome("to all again", names);
}, 60_000);

test("no process has logged a fault of the bridge", () => {
  for (const name of names)
    expect(deployment.process(name).log()).not.toMatch(/fault of the bridge|Traceback/);
});

// Broadcasts on a real Synapse with one process, on SQLite: they reach the module that has sent them, and no other.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Body, Client } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { metric } from "../../support/metrics.js";
import { modulePath } from "./module-path.js";

const names = ["here", "other", "apart", "shadow"] as const;
type Name = (typeof names)[number];

let server: Homeserver;

beforeAll(async () => {
  const module = (name: string, more: object = {}) => ({
    ...{ path: modulePath("broadcaster.ts"), name, config: { path: `/_synapse/client/${name}` } },
    ...{ grants: ["broadcast", "store"], ...more },
  });
  const resources = [{ names: ["client"] }, { names: ["metrics"] }];
  server = await startHomeserver({
    extraConfig: {
      enable_metrics: true,
      listeners: [{ port: 0, type: "http", bind_addresses: ["127.0.0.1"], resources }],
    },
    modules: [
      bridge({
        timeout: "30s",
        modules: [
          module("here"),
          module("other"),
          module("apart", { isolated: true }),
          module("shadow", { shadow: true }),
        ],
      }),
    ],
  });
}, 90_000);

afterAll(() => server?.stop());

const send = async (name: Name, body: object): Promise<Body> =>
  (await new Client(server.baseUrl).post(`/_synapse/client/${name}`, body)).body;
const got = async (name: Name): Promise<unknown[]> => {
  const { body } = await new Client(server.baseUrl).get(`/_synapse/client/${name}`);
  return body.got.map(({ value }: Body) => value);
};
const counted = (module: Name, outcome: string) =>
  metric(server, "synapse_module_bridge_broadcasts_total", { module, outcome });

test("a value reaches the module that has sent it, on the main thread and in its own, and no other module", async () => {
  const value = { text: "\u0000 ä \ud83d\ude00", list: [1.5, null, true] };
  for (const name of ["here", "apart"] as const) {
    expect(await send(name, { value })).toHaveProperty("ms");
    await waitFor("the broadcast", async () => (await got(name)).length === 1);
    expect(await got(name)).toEqual([value]);
    expect(await counted(name, "done")).toBe(1);
  }
  expect(await got("other")).toEqual([]);
});

test("broadcasts come in the order in which they were sent", async () => {
  await send("other", { times: 50 });
  await waitFor("the last one", async () => (await got("other")).at(-1) === 49);
  expect(await got("other")).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

test("a handler that throws is logged and counted, and the next one runs", async () => {
  const before = (await got("here")).length;
  await send("here", { topic: "broken" });
  await send("here", { topic: "note", value: "after" });
  await waitFor("the next one", async () => (await got("here")).length === before + 1);
  expect(await counted("here", "failed")).toBe(1);
  expect(server.log()).toMatch(/here: broadcasts\.broken threw .*cannot take it/);
});

test("a slow handler of one module does not hold up another module's", async () => {
  const before = (await got("other")).length;
  await send("here", { topic: "slow", value: 1_500 });
  await send("here", { value: "later" });
  await send("other", { value: "at once" });
  await waitFor("the other's", async () => (await got("other")).length === before + 1);
  expect(await got("here")).not.toContain("later");
  await waitFor("the slow one's", async () => (await got("here")).includes("later"));
  expect((await got("here")).slice(-2)).toEqual([1_500, "later"]);
});

test.each([
  [
    "more than the limit",
    { value: "x".repeat(4_096) },
    /may have 4096 bytes of JSON, and this one has 4107: keep/,
  ],
  [
    "an unknown topic",
    { topic: "nope" },
    /the module has no topic nope \(did you mean note\?\): add it to its `broadcasts`/,
  ],
])("%s is an error that says what to do", async (_, body, message) => {
  expect((await send("here", body)).error).toMatch(message);
});

test("a shadow module may not broadcast, as it may not write", async () => {
  expect(await send("shadow", { value: 1 })).toMatchObject({ kind: "not_granted" });
  expect(await got("shadow")).toEqual([]);
});

test("a flood ends in an error that says so", async () => {
  const { error } = await send("apart", { times: 700 });
  expect(error).toMatch(/has sent 600 broadcasts within a minute/);
  await waitFor("all that were sent", async () => (await counted("apart", "done")) === 600);
});

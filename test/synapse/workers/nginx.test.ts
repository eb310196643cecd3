/** The nginx configuration of docs/admin/workers.md, on a real nginx before a Synapse with a worker: which path goes where. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { fencesOf } from "../../docs/pages.js";
import { Client } from "../../support/client.js";
import { startNginx } from "../../support/nginx.js";
import { projectRoot } from "../../support/paths.js";
import { freePort } from "../../support/ports.js";
import type { Program } from "../../support/program.js";
import { type Deployed, deploy } from "./deployed.js";

let deployed: Deployed;
let nginx: Program;
let alice: Client;
let room: string;

beforeAll(async () => {
  deployed = await deploy({ timeout: "20s" }, { workers: ["worker1"] });
  const port = await freePort();
  nginx = await startNginx(configuration(port), port);
  const direct = await deployed.user("alice");
  alice = new Client(`http://127.0.0.1:${port}`, direct.userId, direct.accessToken, direct.deviceId);
  room = (await alice.createRoom()).body.room_id;
}, 120_000);

afterAll(async () => {
  await nginx?.stop();
  await deployed?.stop();
});

/** The page's, with the ports of this test. */
function configuration(port: number): string {
  const path = "docs/admin/workers.md";
  const text = readFileSync(join(projectRoot, path), "utf8");
  const [block, ...more] = fencesOf({ path, text }).filter(({ info }) => info === "nginx");
  expect(more).toEqual([]);
  const portOf = (name: string) => new URL(deployed.process(name).baseUrl).port;
  const replaced = (block?.text ?? "")
    .replace("127.0.0.1:8008", `127.0.0.1:${portOf("main")}`)
    .replace("127.0.0.1:8083", `127.0.0.1:${portOf("worker1")}`)
    .replace(/^.*127\.0\.0\.1:8084.*$/m, "")
    .replace("127.0.0.1:8443", `127.0.0.1:${port}`);
  expect(replaced).not.toMatch(/:8\d{3}/);
  return replaced;
}

test("what a user sends is judged by a worker's modules", async () => {
  deployed.forget();
  const sent = await alice.send(room, { msgtype: "m.text", body: "hello" });
  expect(sent.status).toBe(200);
  const asked = deployed.seen().filter(({ event_id }) => event_id === sent.body.event_id);
  const deciding = asked.filter(({ callback }) => callback === "check_event_allowed");
  expect(deciding.map(({ process }) => process)).toEqual(["worker1"]);
  expect((await alice.send(room, { msgtype: "m.text", body: "hello", refuse: true })).status).toBe(403);
});

test("what workers do not serve goes to the main process", async () => {
  deployed.forget();
  const alias = `#nginx:${deployed.serverName}`;
  expect((await alice.createAlias(alias, room)).status).toBe(200);
  const [asked] = deployed.seen().filter(({ callback }) => callback === "user_may_create_room_alias");
  expect(asked?.process).toBe("main");
});

test("Synapse answers below the path of the admin API", async () => {
  const { status, body } = await alice.get("/_synapse/client/module_bridge/v1/nothing");
  expect([status, body.errcode]).toEqual([404, "M_UNRECOGNIZED"]);
});

test.each(["/_synapse/metrics", "/_synapse/admin/v1/server_version", "/_synapse/replication/x", "/"])(
  "%s is not served",
  async (path) => {
    const { status, text } = await alice.get(path);
    expect(status).toBe(404);
    expect(text).toContain("nginx");
  },
);

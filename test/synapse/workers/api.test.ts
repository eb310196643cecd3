// Where the members of the api and web resources work: each of them in each kind of process, on PostgreSQL and Redis.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { bridge, shim } from "../../support/bridge.js";
import { registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { contextWarnings, logged } from "../../support/log.js";
import { type MailServer, startMailServer } from "../../support/mail-server.js";
import { projectRoot } from "../../support/paths.js";
import { callAs, type Rows, runRow, type World } from "../features/api-row.js";
import { addedRows } from "../features/api-rows-added.js";
import { roomRows } from "../features/api-rows-rooms.js";
import { propertyRows, serverRows } from "../features/api-rows-server.js";
import { userRows } from "../features/api-rows-users.js";
import { modulePath } from "../features/module-path.js";
import { type Peer, startPeer } from "../features/peer.js";

const catalogue = JSON.parse(readFileSync(join(projectRoot, "schemas", "api.json"), "utf8"));
const rows: Rows = { ...propertyRows, ...userRows, ...roomRows, ...serverRows, ...addedRows };
const members = [...Object.keys(catalogue.properties), ...Object.keys(catalogue.methods)];

/** Each kind of process, and what the catalogue calls it, if some methods work there only. */
const processes: Readonly<
  Record<string, { readonly does: string; readonly kind?: string; readonly app?: string }>
> = {
  main: { does: "the rest", kind: "main" },
  worker1: { does: "serves clients" },
  media1: { does: "serves media, by Synapse's program for it", app: "synapse.app.media_repository" },
  media2: { does: "serves media, and runs background tasks" },
  events1: { does: "writes events" },
  presence1: { does: "writes presence", kind: "presence" },
  pusher1: { does: "sends pushes", kind: "pusher" },
};
const background = "media2";
const names = Object.keys(processes);
const path = "/_synapse/client/granted";
/** Besides the listener for clients and other servers, and that for replication. Synapse refuses `media` where others serve it. */
const listeners = (name: string) => [...(name === main ? [] : ["media"]), "metrics", "health"];

let deployment: Deployment;
let mail: MailServer;
let peer: Peer;
const worlds: Record<string, World> = {};

beforeAll(async () => {
  [mail, peer] = [await startMailServer(), await startPeer()];
  deployment = await startDeployment({
    modules: [
      bridge({
        timeout: "20s",
        modules: [{ path: modulePath("api-caller.ts"), name: "granted", grants: "all", config: { path } }],
      }),
    ],
    workers: ["worker1", "media1", "media2", "pusher1"],
    writers: { events: ["events1"], presence: ["presence1"] },
    own: {
      media1: { worker_app: "synapse.app.media_repository", enable_media_repo: true },
      media2: { enable_media_repo: true },
    },
    listeners,
    pythonPath: [shim],
    extraConfig: {
      ...{ mau_stats_only: true, ip_range_whitelist: ["127.0.0.1"] },
      ...{ enable_media_repo: false, media_instance_running_background_jobs: "media1" },
      ...{ run_background_tasks_on: background, pusher_instances: ["pusher1"] },
      email: {
        ...{ smtp_host: "127.0.0.1", smtp_port: mail.port, enable_tls: false, app_name: "Tests" },
        notif_from: "%(app)s <noreply@example.org>",
      },
    },
  });
  for (const name of names) worlds[name] = await worldOf(name);
}, 180_000);

afterAll(async () => {
  await deployment?.stop();
  await Promise.all([mail?.close(), peer?.close()]);
});

/** Users and a room of their own, and the process whose module is asked. */
async function worldOf(name: string): Promise<World> {
  const { sharedSecret, dir } = deployment;
  const { baseUrl } = deployment.process(main);
  const server = { baseUrl, sharedSecret, dir };
  const alice = await registerUser(server, `alice${name}`, { displayname: "Alice ☃" });
  const admin = await registerUser(server, `admin${name}`, { admin: true });
  const lobby = { preset: "public_chat", visibility: "public", room_alias_name: `lobby${name}` };
  const room = (await alice.createRoom(lobby)).body.room_id;
  const asked = {
    baseUrl: deployment.process(name).baseUrl,
    worker_name: name === main ? null : name,
    worker_app: name === main ? null : (processes[name]?.app ?? "synapse.app.generic_worker"),
    background: name === background,
  };
  const query = async (sql: string) => {
    const params = { desc: "query", statements: [{ sql }] };
    const { body } = await callAs(world, "granted", "run_db_interaction", { params });
    return body.result[0].rows.map((row: object) => Object.values(row));
  };
  const world: World = {
    ...{ server, asked, tag: name, query, mail, peer, alice, admin, room, secrets: [] },
  };
  return world;
}

test("every member of the api has a row", () => expect(Object.keys(rows).sort()).toEqual(members.sort()));

describe.each(names)("in %s", (name) => {
  const world = () => worlds[name] as World;
  const worksIn = (member: string) => catalogue.methods[member]?.process ?? processes[name]?.kind;
  const here = members.filter((member) => worksIn(member) === processes[name]?.kind);
  const elsewhere = members.filter((member) => !here.includes(member));

  test.each(here)("%s works", async (member) => {
    const [row] = rows[member] ?? [];
    if (row) await runRow(world(), member, row, "granted");
  });

  if (elsewhere.length > 0)
    test.each(elsewhere)("%s tells where it works, and what to do", async (member) => {
      const [row] = rows[member] ?? [];
      const params = typeof row?.params === "function" ? await row.params(world()) : row?.params;
      const { error, kind } = (await callAs(world(), "granted", member, { params: params ?? {} })).body;
      const { process } = catalogue.methods[member];
      const place =
        process === "main" ? "the main process" : names.find((one) => processes[one]?.kind === process);
      expect(kind).toBe("wrong_process");
      expect(error).toContain(`${member} works only in ${place}, and this is `);
      expect(error).toContain("api.broadcast");
    });

  test("a web resource is served on each HTTP listener", async () => {
    const sockets = [
      ...listeners(name),
      ...(["main", "events1", "presence1"].includes(name) ? ["replication"] : []),
    ];
    const statuses: Record<string, number> = {};
    for (const resource of sockets) statuses[resource] = await statusAt(deployment.socketOf(name, resource));
    expect(statuses).toEqual(Object.fromEntries(sockets.map((resource) => [resource, 200])));
  });

  test("nothing else went wrong", () => {
    expect(contextWarnings(deployment.process(name))).toEqual([]);
    expect(logged(deployment.process(name), "fault of the bridge")).toEqual([]);
    expect(logged(deployment.process(name), "Traceback")).toEqual([]);
  });
});

/** What the module's path answers there. */
async function statusAt(socketPath: string): Promise<number> {
  const headers = { host: "localhost", "content-type": "application/json" };
  const asked = request({ socketPath, path, method: "POST", headers });
  asked.end(JSON.stringify({ method: "server_name" }));
  const [response] = await once(asked, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

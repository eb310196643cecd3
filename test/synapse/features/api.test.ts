// Every member of the ModuleApi in schemas/api.json, called by a module on a real Synapse: with a grant, without one, and
// in a shadow module.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { bridge } from "../../support/bridge.js";
import { registerUser } from "../../support/client.js";
import { queryDatabase } from "../../support/database.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { contextWarnings } from "../../support/log.js";
import { startMailServer } from "../../support/mail-server.js";
import { projectRoot } from "../../support/paths.js";
import { callAs, type Row, type Rows, runRow, type World } from "./api-row.js";
import { roomRows } from "./api-rows-rooms.js";
import { propertyRows, serverRows } from "./api-rows-server.js";
import { userRows } from "./api-rows-users.js";
import { modulePath } from "./module-path.js";
import { startPeer } from "./peer.js";

const catalogue = JSON.parse(readFileSync(join(projectRoot, "schemas", "api.json"), "utf8"));
// Those that Synapse's ModuleApi lacks are in storage.test.ts.
const methods = Object.keys(catalogue.methods).filter((name) => !catalogue.methods[name].added);
const writes = methods.filter((name) => catalogue.methods[name].access === "write");
const rows: Rows = { ...propertyRows, ...userRows, ...roomRows, ...serverRows };
const groups = ["http_client", "account_data_manager", "public_room_list_manager"];

let world: World & { readonly server: Homeserver };

beforeAll(async () => {
  const [mail, peer] = [await startMailServer(), await startPeer()];
  const path = modulePath("api-caller.ts");
  const caller = (name: string, more: object = {}) => ({
    ...{ path, name, config: { path: `/_synapse/client/${name}` } },
    ...more,
  });
  const server = await startHomeserver({
    modules: [
      bridge({
        modules: [
          caller("granted", { grants: writes }),
          caller("groups", { grants: groups }),
          caller("all", { grants: "all" }),
          caller("none"),
          caller("mail", { grants: ["send_mail"] }),
          caller("shadow", { grants: "all", shadow: true }),
        ],
      }),
    ],
    extraConfig: {
      ...{ mau_stats_only: true, ip_range_whitelist: ["127.0.0.1"] },
      email: {
        ...{ smtp_host: "127.0.0.1", smtp_port: mail.port, enable_tls: false, app_name: "Tests" },
        notif_from: "%(app)s <noreply@example.org>",
      },
    },
  });
  const alice = await registerUser(server, "alice", { displayname: "Alice ☃" });
  const admin = await registerUser(server, "admin", { admin: true });
  const lobby = { preset: "public_chat", visibility: "public", room_alias_name: "lobby" };
  const room = (await alice.createRoom(lobby)).body.room_id;
  const secrets = ["s3cret", alice.accessToken];
  const asked = { baseUrl: server.baseUrl, worker_name: null, worker_app: null, background: true };
  const query = async (sql: string) => queryDatabase(server, sql);
  world = { ...{ server, asked, tag: "", query, mail, peer, alice, admin, room, secrets } };
}, 60_000);

afterAll(async () => {
  await world?.server.stop();
  await Promise.all([world?.mail.close(), world?.peer.close()]);
});

const cases = Object.entries(rows).flatMap(([method, own]) =>
  own.map((row): [string, string, Row] => [method, row.title ?? "as it should be", row]),
);

test.each(cases)("%s: %s", async (method, _, row) => {
  const group = method.split(".")[0] as string;
  await runRow(world, method, row, groups.includes(group) ? "groups" : grantOf(method));
});

/** Reads need no grant. */
function grantOf(method: string): string {
  return writes.includes(method) ? "granted" : "none";
}

test("every member that is not declared absent has its rows, and no other", () => {
  const declared = [...Object.keys(catalogue.properties), ...methods];
  expect(Object.keys(rows).sort()).toEqual(declared.sort());
});

test("only what asks Synapse has to be awaited", async () => {
  for (const [name, { access }] of Object.entries<{ access: string }>(catalogue.methods)) {
    if (access !== "sync") continue;
    const params = rows[name]?.[0]?.params as Record<string, unknown> | undefined;
    const { body } = await callAs(world, "none", name, { params: params ?? {} });
    expect(body).toMatchObject({ awaited: false });
  }
  const params = { user_id: world.alice.userId };
  const read = await callAs(world, "none", "is_user_admin", { params });
  expect(read.body).toEqual({ result: false, awaited: true });
});

test("`grants: all` grants every write", async () => {
  const params = { user_id: world.alice.userId, data_type: "org.example.all", new_data: {} };
  const answer = await callAs(world, "all", "account_data_manager.put_global", { params });
  expect(answer.body).toEqual({ result: null, awaited: true });
});

describe("a write without a grant", () => {
  test.each(writes)("%s is refused, with the line to add", async (method) => {
    const by = method === "send_mail" ? "none" : "mail";
    const { error, kind } = (await callAs(world, by, method)).body;
    expect(kind).toBe("not_granted");
    const line = by === "none" ? "grants: [send_mail]" : `grants: [send_mail, ${method}]`;
    expect(error).toContain(`${by} may not call ${method}: write \`${line}\` beside its \`path\``);
  });

  test("is refused to a shadow module, whatever is granted to it", async () => {
    const params = { recipient: "bob@example.org", subject: "x", html: "x", text: "x" };
    const { error, kind } = (await callAs(world, "shadow", "send_mail", { params })).body;
    expect(kind).toBe("not_granted");
    expect(error).toContain("it is a shadow module");
  });
});

test("no log has a password, a token or the body of another server's answer", () => {
  const texts = [world.server.log(), world.server.stderr(), world.server.stdout()];
  for (const secret of world.secrets) for (const text of texts) expect(text).not.toContain(secret);
});

test("no log context was mishandled", () => expect(contextWarnings(world.server)).toEqual([]));

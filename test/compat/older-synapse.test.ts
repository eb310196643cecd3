/** The bridge on an older Synapse: modules decide there as well, and a callback that it lacks is told at start. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { registerUser } from "../homeserver/client.js";
import { HomeserverStartError, startHomeserver } from "../homeserver/homeserver.js";
import { projectRoot } from "../homeserver/paths.js";
import { freePort } from "../homeserver/ports.js";
import { buildPackages, constraintsWithout, makeEnvironment, temporaryFolder } from "./environment.js";

const folder = temporaryFolder();
const requirements = join(projectRoot, "test/compat/older-synapse.txt");
const example = (name: string) => join(projectRoot, "examples", `${name}.ts`);
const newer = join(folder.path, "newer.ts");
let python: string;

beforeAll(async () => {
  const source = join(projectRoot, "python-shim");
  const [wheel = ""] = await buildPackages(source, join(folder.path, "built"), ["wheel"]);
  const constraints = constraintsWithout(requirements, folder.path);
  const install = ["-r", requirements, "-c", constraints, wheel];
  python = join(await makeEnvironment(join(folder.path, "older"), install), "python");
  writeFileSync(
    newer,
    `import { defineModule, NOT_SPAM } from "synapse-module-bridge";
     export default defineModule({ callbacks: { user_may_send_state_event: () => NOT_SPAM } });`,
  );
}, 300_000);

afterAll(() => folder.remove());

async function start(config: Record<string, unknown>) {
  // It does not tell which port it got for port 0.
  const resources = [{ names: ["client", "federation"] }];
  const listener = { port: await freePort(), type: "http", bind_addresses: ["127.0.0.1"], resources };
  return startHomeserver({
    python,
    extraConfig: { listeners: [listener] },
    modules: [{ module: "synapse_module_bridge.ModuleBridge", config }],
  });
}

test("modules refuse, rewrite and edit on it", async () => {
  const server = await start({
    modules: [
      { path: example("no-links"), config: { allowed_domains: ["example.org"] } },
      { path: example("mask-card-numbers") },
      { path: example("block-invites"), config: { allowed_domains: ["test.localhost"] } },
      { path: example("room-defaults"), config: {} },
    ],
  });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    const visibility = await alice.getState(room_id, "m.room.history_visibility");
    expect(visibility.body).toEqual({ history_visibility: "invited" });
    expect(await alice.say(room_id, "https://casino.example")).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN", "org.example.refused_link": "casino.example" },
    });
    const paid = await alice.say(room_id, "4111 1111 1111 1111");
    const read = await alice.event(room_id, paid.body.event_id);
    expect(read.body.content.body).toBe("[card number ending in 1111]");
    expect(await alice.invite(room_id, "@carol:spam.example")).toMatchObject({ status: 403 });
    const stats = await alice.get("/_synapse/client/block_invites/stats");
    expect(stats.body).toEqual({ refused: { [alice.userId]: 1 } });
    expect(server.log()).not.toMatch(/outcome=(fault|policy)/);
  } finally {
    await server.stop();
  }
}, 90_000);

test("a callback that it lacks stops it, and the last line says what to do", async () => {
  const failure = await start({ modules: [{ path: newer }] }).catch((error) => error);
  expect(failure).toBeInstanceOf(HomeserverStartError);
  expect(failure.exitCode).toBe(1);
  expect(failure.stderr.trim().split("\n").at(-1)).toMatch(
    /newer implements user_may_send_state_event, which this Synapse \(1\.130\.0\) lacks: it came with 1\.132\.0\. Upgrade Synapse, or set callbacks\.user_may_send_state_event\.optional/,
  );
}, 90_000);

test("`optional: true` lets it start without that callback", async () => {
  const server = await start({
    modules: [{ path: newer }, { path: example("no-links"), config: { allowed_domains: [] } }],
    callbacks: { user_may_send_state_event: { optional: true } },
  });
  try {
    const alice = await registerUser(server, "alice");
    const { room_id } = (await alice.createRoom()).body;
    expect(await alice.setState(room_id, "m.room.topic", "", { topic: "t" })).toMatchObject({ status: 200 });
    expect(await alice.say(room_id, "https://casino.example")).toMatchObject({ status: 403 });
  } finally {
    await server.stop();
  }
}, 90_000);

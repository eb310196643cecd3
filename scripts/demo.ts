// Boots a real Synapse with the bridge and four example modules, lets two people talk on it, and shows what they get.
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, password, signedIn } from "../test/support/client.js";
import { type Homeserver, HomeserverStartError, startHomeserver } from "../test/support/homeserver.js";
import { DemoReport } from "./demo-report.js";

const example = (name: string) => fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url));
const serverName = "example.org";

const bridge = {
  module: "synapse_module_bridge.ModuleBridge",
  config: {
    modules: [
      { path: example("no-links"), config: { allowed_domains: [serverName] } },
      { path: example("mask-card-numbers") },
      { path: example("block-invites"), config: { allowed_domains: [serverName] } },
      { path: example("room-defaults"), config: { reserved_aliases: ["help"] } },
    ],
  },
};

export interface DemoOptions {
  /** Leave the server up afterwards. */
  readonly keep: boolean;
  /** The folder for a recording, which `replay` can ask other versions of the modules. */
  readonly record?: string;
}

/** Runs the demo, and gives the exit code. */
export async function demo({ keep, record }: DemoOptions): Promise<number> {
  let server: Homeserver;
  const progress = setInterval(() => console.log("  still starting"), 5000);
  try {
    console.log("\nStarting Synapse, on SQLite in a temporary folder, with these modules:");
    for (const { path } of bridge.config.modules) console.log(`  ${path}`);
    server = await startHomeserver({ serverName, modules: [withRecording(record)] });
  } catch (error) {
    if (!(error instanceof HomeserverStartError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    clearInterval(progress);
  }
  console.log(`Synapse is up after ${(server.startedInMs / 1000).toFixed(1)} s, at ${server.baseUrl}`);
  try {
    const report = new DemoReport(server);
    const people = await converse(server, report);
    report.summary();
    if (keep) await stayUp(server, people);
    return report.unexpected === 0 ? 0 : 1;
  } finally {
    await server.stop();
    console.log("\nSynapse has stopped and its folder is removed.");
  }
}

function withRecording(folder: string | undefined) {
  if (folder === undefined) return bridge;
  return { ...bridge, config: { ...bridge.config, record: { folder: resolve(folder) } } };
}

interface People {
  readonly alice: Client;
  readonly bob: Client;
  readonly room: string;
}

async function converse(server: Homeserver, report: DemoReport): Promise<People> {
  const anyone = new Client(server.baseUrl);
  const register = async (name: string) => {
    const { body } = await report.step(`${name} registers`, 200, () => anyone.register(name, password));
    return signedIn(server, body);
  };
  const alice = await register("alice");
  const bob = await register("bob");

  const made = await report.step("alice creates the room Allotments", 200, () =>
    alice.createRoom({ name: "Allotments", preset: "private_chat" }),
  );
  const room: string = made.body.room_id;
  await report.step("alice asks who may read the room's history", 200, () =>
    alice.getState(room, "m.room.history_visibility"),
  );
  await report.step("bob creates a room with the address #help", 403, () =>
    bob.createRoom({ room_alias_name: "help" }),
  );
  await report.step("alice invites carol, who is at spam.example", 403, () =>
    alice.invite(room, "@carol:spam.example"),
  );
  await report.step("alice invites bob", 200, () => alice.invite(room, bob.userId));
  await report.step("bob joins", 200, () => bob.join(room));

  const say = (who: Client, name: string, text: string, status: number) =>
    report.step(`${name} says "${text}"`, status, () => who.say(room, text));
  const read = (name: string, who: Client, id: string) =>
    report.step(`${name} reads that message`, 200, () => who.event(room, id));

  await say(alice, "alice", "Hello Bob, do you want my plot?", 200);
  await say(bob, "bob", "Yes! First win a car at https://casino.example/win", 403);
  await say(bob, "bob", "Sorry. The rules are at https://www.example.org/rules", 200);
  const paid = await say(bob, "bob", "Take the rent from my card 4111 1111 1111 1111", 200);
  await read("alice", alice, paid.body.event_id);
  await report.step("a monitor asks what was refused, at the module's own web resource", 200, () =>
    anyone.get("/_synapse/client/block_invites/stats"),
  );
  return { alice, bob, room };
}

async function stayUp(server: Homeserver, { alice, bob, room }: People): Promise<void> {
  // A shell would take the exclamation mark of a room id for a word of its history.
  const roomInPath = encodeURIComponent(room).replace("!", "%21");
  const path = `/_matrix/client/v3/rooms/${roomInPath}/send/m.room.message/$RANDOM`;
  console.log(`
The server stays up until Ctrl-C.

  address    ${server.baseUrl}
  room       ${room}
  alice      ${alice.userId}, access token ${alice.accessToken}
  bob        ${bob.userId}, access token ${bob.accessToken}
  password   ${password} (both)
  log        ${server.logPath}
  config     ${server.configPath}
  modules    ${example("*")}

Say something as alice:

  curl -X PUT -H 'Authorization: Bearer ${alice.accessToken}' \\
    -d '{"msgtype": "m.text", "body": "see https://casino.example"}' \\
    "${server.baseUrl}${path}"

Watch the decisions:

  tail -f ${server.logPath} | grep synapse_module_bridge.decision
`);
  const stopped = new AbortController();
  const interrupted = Promise.race(
    ["SIGINT", "SIGTERM"].map((name) => once(process, name, { signal: stopped.signal })),
  );
  await Promise.race([interrupted.catch(() => undefined), server.exited]);
  stopped.abort();
}

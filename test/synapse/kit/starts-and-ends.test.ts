// How servers of the kit start and end: pairs, failures, deaths, and what killed test runners leave behind.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse } from "synapse-module-bridge/testing/synapse";
import { temporaryFolder as kitFolder } from "../../../bridge/testing/synapse/folders.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { examplePath } from "../../support/bridge.js";
import { cacheWithVenv } from "../../support/prepared-venv.js";
import { isAlive } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const noLinks = { path: examplePath("no-links.ts"), config: { allowed_domains: ["example.org"] } };

beforeAll(() => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
});
afterAll(() => folder.remove());

test("two servers federate, and a remote user is judged", async () => {
  const hs = await startSynapse({ modules: [noLinks], servers: 2 });
  const [peer] = hs.peers;
  if (!peer) throw new Error("there is no peer");
  try {
    const [alice, rita] = [await hs.user("alice"), await peer.user("rita")];
    expect(rita.user_id).toBe(`@rita:${peer.server_name}`);
    const room = await alice.createRoom();
    await alice.invite(room, rita.user_id);
    await rita.join(room, [hs.server_name]);
    await rita.send(room, "https://casino.example");
    const sent = await rita.send(room, "hello");
    const arrived = async () => (await alice.messages(room)).some(({ event_id }) => event_id === sent);
    await waitFor("the message", arrived, 20_000);
    const bodies = (await alice.messages(room)).map(({ content }) => content.body);
    expect(bodies).not.toContain("https://casino.example");
    expect(await hs.decisions({ user: rita.user_id, room, outcome: "refused", atLeast: 1 })).not.toEqual([]);
    expect(await peer.decisions()).toEqual([]);
  } finally {
    await hs.close();
  }
  expect([existsSync(hs.folder), existsSync(peer.folder), isAlive(hs.pid), isAlive(peer.pid)]).not.toContain(
    true,
  );
}, 150_000);

test("a start that fails rejects with the last lines of Synapse, and leaves nothing", async () => {
  const failure = await startSynapse({ modules: [{ path: folder.path("missing.ts") }] }).catch(
    (error) => error,
  );
  expect(failure).toMatchObject({ name: "SynapseStartError", exitCode: 1 });
  expect(failure.message).toMatch(/ended with exit code 1 before it was up/);
  expect(failure.message.trimEnd().split("\n").at(-1)).toContain("missing.ts");
  expect(existsSync(failure.dir)).toBe(false);
}, 150_000);

test("a request to a Synapse that has died says so, with its last lines", async () => {
  const hs = await startSynapse();
  try {
    const alice = await hs.user("alice");
    process.kill(hs.pid, "SIGKILL");
    await waitFor("its end", () => !isAlive(hs.pid));
    await expect(alice.createRoom()).rejects.toThrow(
      /Synapse has ended by a signal. Its last lines:\n.*INFO/s,
    );
  } finally {
    await hs.close();
  }
}, 150_000);

test("what a killed test runner leaves, the next start removes", async () => {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const script = folder.write(
    "start.mjs",
    `import { startSynapse } from ${JSON.stringify(new URL("../../../dist/testing/synapse/index.js", import.meta.url))};
     const hs = await startSynapse({ modules: [${JSON.stringify(noLinks)}] });
     console.log(JSON.stringify({ pid: hs.pid, folder: hs.folder }));
     setInterval(() => undefined, 1000);`,
  );
  const runner = spawn(process.execPath, [script], { env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  runner.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  const started = JSON.parse(await waitFor("the server", () => /\{.*\}/.exec(printed)?.[0], 120_000));
  runner.kill("SIGKILL");
  await waitFor("Synapse to be gone", () => !isAlive(started.pid));
  expect(existsSync(started.folder)).toBe(true);
  // What Synapse had started may write for a moment after Synapse's own end.
  await waitFor("the removal of its folder", () => {
    kitFolder().remove();
    return !existsSync(started.folder);
  });
}, 150_000);

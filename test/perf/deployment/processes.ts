// Measures a deployment of main and six workers, with the bridge and without: starts, memory, a reload and a restart of all.
import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { bridge, examplePath, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { childrenOf, shareOfMemoryOf } from "../../support/processes.js";

const POLICIES = ["new-account-limits", "media-rules", "rooms-by-admins"];
const WORKERS = ["worker1", "worker2", "media1", "background1"];
const WRITERS = { events: ["events1"], presence: ["presence1"] };
const NAMES = [main, ...WORKERS, ...Object.values(WRITERS).flat()];
const MESSAGES = 50;

/** Figures by what they are of, each taken once in a round. */
export type Taken = Map<string, number[]>;

export async function measureProcesses(withBridge: boolean, rounds: number): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), "bench-policies-"));
  const files = POLICIES.map((name) => join(folder, `${name}.ts`));
  for (const file of files) copyFileSync(examplePath(`policies/${basename(file)}`), file);
  const modules = files.map((path) => ({ path, grants: ["store"] }));
  const taken: Taken = new Map();
  const note = (what: string, figure: number) => taken.set(what, [...(taken.get(what) ?? []), figure]);
  let changes = 0;
  const change = () => {
    changes += 1;
    for (const file of files) appendFileSync(file, `\n// ${Date.now()} ${changes}\n`);
  };
  const deployment = await startDeployment({
    modules: withBridge ? [bridge({ modules })] : [],
    workers: WORKERS,
    writers: WRITERS,
    own: { media1: { worker_app: "synapse.app.media_repository", enable_media_repo: true } },
    extraConfig: {
      ...{ enable_media_repo: false, media_instance_running_background_jobs: "media1" },
      run_background_tasks_on: "background1",
    },
    pythonPath: [shim],
  });
  try {
    const { baseUrl } = deployment.process(main);
    const admin = await registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, "admin", {
      admin: true,
    });
    const room = (await admin.createRoom()).body.room_id;
    for (let round = 0; round < rounds; round++) {
      note("all stop, s", await seconds(() => stopAll(deployment)));
      note("all start at once, s", await seconds(() => startAll(deployment)));
      await talk(deployment, admin, room);
      for (const [what, megabytes] of Object.entries(memory(deployment))) note(what, megabytes);
      if (!withBridge) continue;
      const asking = deployment.through(main, admin);
      note("reload of all, nothing has changed, s", await seconds(() => reload(asking, "unchanged")));
      change();
      note("reload of all, all modules have changed, s", await seconds(() => reload(asking, "reloaded")));
      await stopAll(deployment);
      change();
      note("all start at once, all modules have changed, s", await seconds(() => startAll(deployment)));
    }
    return taken;
  } finally {
    await deployment.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const stopAll = (deployment: Deployment) => Promise.all(NAMES.map((name) => deployment.process(name).stop()));
const startAll = (deployment: Deployment) => Promise.all(NAMES.map((name) => deployment.start(name)));

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1e3;
}

/** A client's messages through each process. */
async function talk(deployment: Deployment, client: Client, room: string): Promise<void> {
  for (const name of NAMES) {
    const through = deployment.through(name, client);
    for (let n = 0; n < MESSAGES; n++) {
      const { status, text } = await through.say(room, "a message");
      if (status !== 200) throw new Error(`a message through ${name}: ${status} ${text}`);
    }
  }
}

function memory(deployment: Deployment): Record<string, number> {
  const pids = NAMES.map((name) => deployment.process(name).pid);
  const total = (all: readonly number[]) =>
    all.reduce((sum, pid) => sum + (shareOfMemoryOf(pid) ?? 0), 0) / 2 ** 20;
  return { "Synapse's processes, MB": total(pids), "their Nodes, MB": total(pids.flatMap(childrenOf)) };
}

async function reload(client: Client, outcome: string): Promise<void> {
  const { status, body, text } = await client.post("/_synapse/client/module_bridge/v1/reload");
  const outcomes = Object.values<{ outcome: string }>(body.processes ?? {}).map((one) => one.outcome);
  if (status !== 200 || outcomes.length !== NAMES.length || outcomes.some((one) => one !== outcome))
    throw new Error(`the reload was to be ${outcome} in all: ${status} ${text}`);
}

// What is compared: a Synapse without any module, with the policy in Python, over HTTP, and through the bridge.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Client, registerUser } from "../homeserver/client.js";
import { type Homeserver, startHomeserver } from "../homeserver/homeserver.js";
import { installPackages } from "../homeserver/packages.js";
import { projectRoot } from "../homeserver/paths.js";

const folder = join(projectRoot, "test", "bench");

export type SideName = "none" | "python" | "http" | "bridge" | "filtered";

export interface Side {
  readonly name: SideName;
  readonly server: Homeserver;
  readonly user: Client;
  readonly room: string;
}

export interface Sides {
  readonly all: readonly Side[];
  of(name: SideName): Side;
  stop(): Promise<void>;
}

const bridge = (path: string) => ({
  module: "synapse_module_bridge.ModuleBridge",
  config: { modules: [{ path: join(folder, path) }] },
});

/** Boots all of them; who fails to start takes the others down. */
export async function startSides(): Promise<Sides> {
  const packages = await installPackages(join(folder, "packages.txt"));
  const { server: http, port } = await startHttpServer();
  const modules: Record<SideName, readonly { module: string; config?: unknown }[]> = {
    none: [],
    python: [{ module: "bench_driver.Policy", config: {} }],
    http: [
      {
        module: "synapse_http_antispam.HTTPAntispam",
        config: {
          base_url: `http://127.0.0.1:${port}`,
          authorization: "bench",
          enabled_callbacks: ["check_event_for_spam"],
        },
      },
    ],
    bridge: [bridge("policy.ts")],
    filtered: [bridge("filtered.ts")],
  };
  const all: Side[] = [];
  const stop = async () => {
    await Promise.all(all.map(({ server }) => server.stop()));
    http.kill();
  };
  try {
    for (const [name, entries] of Object.entries(modules)) {
      const server = await startHomeserver({
        modules: [{ module: "bench_driver.BenchDriver", config: {} }, ...entries],
        pythonPath: [join(projectRoot, "python-shim"), folder, packages],
        serverName: "test.localhost",
        logLevels: { "synapse_module_bridge.decision": "INFO" }, // as an admin runs it
      });
      const user = await registerUser(server, "bench");
      const { body } = await user.createRoom({ preset: "private_chat" });
      all.push({ name: name as SideName, server, user, room: body.room_id });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const of = (name: SideName) => all.find((side) => side.name === name) as Side;
  return { all, of, stop };
}

async function startHttpServer(): Promise<{ server: ChildProcess; port: number }> {
  const server = spawn(process.execPath, [join(folder, "http-server.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { server, port: Number(line) };
}

// Boots a Synapse of several processes on PostgreSQL and Redis: the main one, workers, and writers of its streams.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HeldPort, holdPort } from "../../bridge/testing/synapse/held-port.js";
import {
  type ModuleEntry,
  writeConfig,
  writeLogConfig,
} from "../../bridge/testing/synapse/homeserver-yaml.js";
import { type SynapseProcess, startProcess } from "../../bridge/testing/synapse/synapse-process.js";
import type { Certificates } from "./certificates.js";
import { Client } from "./client.js";
import { installPackages } from "./packages.js";
import { harnessFile, venvPython } from "./paths.js";
import { startPostgres } from "./postgres.js";
import type { Program } from "./program.js";
import { startRedis } from "./redis.js";

export interface DeploymentOptions {
  /** The `modules:` that all processes have. */
  readonly modules?: readonly ModuleEntry[];
  /** Names of workers that serve clients. */
  readonly workers?: readonly string[];
  /** Names of workers that write a stream of Synapse's, such as `events`, and serve clients as well. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  /** What else is in a worker's own file, by its name; it wins over the harness's own. */
  readonly own?: Readonly<Record<string, object>>;
  /** Resources of a process each of which has a listener of its own: see `socketOf`. */
  readonly listeners?: (name: string) => readonly string[];
  /** The process that listens for other servers, and the certificates that all of them share. */
  readonly federation?: { readonly on: string; readonly certificates: Certificates };
  /** More keys for homeserver.yaml; they win over the harness's own. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  readonly pythonPath?: readonly string[];
  readonly startTimeoutMs?: number;
}

export interface Deployment {
  readonly serverName: string;
  readonly sharedSecret: string;
  readonly dir: string;
  /** The processes of Synapse by name; the main one is `main`. */
  readonly processes: Readonly<Record<string, SynapseProcess>>;
  process(name: string): SynapseProcess;
  /** The path of the socket on which a process serves one of the `listeners`. */
  socketOf(name: string, resource: string): string;
  /** Starts a process again that was stopped. */
  start(name: string): Promise<void>;
  /** The same user, asking another process. */
  through(name: string, client: Client): Client;
  /** Ends all processes and removes their folders. */
  stop(): Promise<void>;
}

export const main = "main";

export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const packages = await installPackages(harnessFile("deployment.txt"));
  const dir = mkdtempSync(join(tmpdir(), "bridge-deployment-"));
  const services: Program[] = [];
  const processes: Record<string, SynapseProcess> = {};
  const stop = async () => {
    await Promise.all(Object.values(processes).map((process) => process.stop()));
    await Promise.all(services.map((service) => service.stop()));
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const postgres = await startPostgres(packages);
    services.push(postgres);
    const redis = await startRedis(packages);
    services.push(redis);
    const layout = await writeLayout(dir, options, { database: postgres.config, redis: redis.config });
    const start = async (name: string) => {
      const { configPaths, logPath } = layout.files(name);
      processes[name] = await startProcess({
        python: venvPython(),
        ...(name === options.federation?.on && { heldPort: layout.heldPort }),
        app: layout.appOf(name),
        ...{ dir, configPaths, logPath },
        pythonPath: [packages, ...(options.pythonPath ?? [])],
        ...(options.federation && { certificates: options.federation.certificates }),
        ...(options.startTimeoutMs && { startTimeoutMs: options.startTimeoutMs }),
      });
    };
    await start(main); // it makes the tables, without which no worker starts
    const started = await Promise.allSettled(layout.workers.map(start));
    for (const result of started) if (result.status === "rejected") throw result.reason;
    const process = (name: string) => {
      const found = processes[name];
      if (!found) throw new Error(`there is no process ${name}`);
      return found;
    };
    const through = (name: string, { userId, accessToken, deviceId }: Client) =>
      new Client(process(name).baseUrl, userId, accessToken, deviceId);
    return { ...layout, dir, processes, process, start, through, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Writes the files that all processes share, and those of each worker. */
async function writeLayout(dir: string, options: DeploymentOptions, services: object) {
  const { writers = {}, federation } = options;
  const writing = [...new Set(Object.values(writers).flat())];
  const workers = [...(options.workers ?? []), ...writing];
  const heldPort: HeldPort | undefined = federation && (await holdPort());
  const port = heldPort?.port;
  const serverName = port ? `localhost:${port}` : "test.localhost";
  const sharedSecret = "registration";
  const socketOf = (name: string, resource: string) => join(dir, `${name}-${resource}.sock`);
  // The first is the one that a process is known by.
  const listeners = (name: string) => [
    listener({ port: 0 }, "client", "federation", "metrics"),
    ...[
      ...(name === main || writing.includes(name) ? ["replication"] : []),
      ...(options.listeners?.(name) ?? []),
    ].map((resource) => listener({ path: socketOf(name, resource) }, resource)),
    ...(name === federation?.on ? [listener({ port, tls: true }, "federation")] : []),
    // A worker has no TLS unless the main process has.
    ...(name === main && federation ? [listener({ port: 0, tls: true }, "health")] : []),
  ];
  const shared = writeConfig({
    ...{ dir, serverName, sharedSecret, modules: options.modules ?? [] },
    ...(federation && port && { federation: { port, certificates: federation.certificates } }),
    extraConfig: {
      ...services,
      listeners: listeners(main),
      enable_metrics: true,
      worker_replication_secret: "replication",
      instance_map: Object.fromEntries(
        [main, ...writing].map((name) => [name, { path: socketOf(name, "replication") }]),
      ),
      stream_writers: writers,
      ...options.extraConfig,
    },
  });
  const files = (name: string) => {
    if (name === main) return { configPaths: [shared.configPath], logPath: shared.logPath };
    const { logConfigPath, logPath } = writeLogConfig(dir, name);
    const configPath = join(dir, `${name}.yaml`);
    const own = {
      worker_app: "synapse.app.generic_worker",
      worker_name: name,
      worker_log_config: logConfigPath,
      worker_listeners: listeners(name),
      ...options.own?.[name],
    };
    writeFileSync(configPath, JSON.stringify(own, null, 2));
    return { configPaths: [shared.configPath, configPath], logPath };
  };
  const appOf = (name: string) => {
    const { worker_app } = { worker_app: "", ...options.own?.[name] };
    return name === main ? "homeserver" : worker_app.replace("synapse.app.", "") || "generic_worker";
  };
  return { serverName, sharedSecret, workers, files, heldPort, socketOf, appOf };
}

const listener = (place: object, ...names: readonly string[]) => ({
  type: "http",
  resources: [{ names }],
  ...("path" in place ? {} : { bind_addresses: ["127.0.0.1"] }),
  ...place,
});

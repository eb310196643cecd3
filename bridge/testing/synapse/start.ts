// Starts Synapses for tests: one, or some that federate.
import path from "node:path";
import { whenThisProcessEnds } from "../../base/children.js";
import { checkKeys } from "../../base/known-words.js";
import { type Certificates, makeCertificates } from "./certificates.js";
import { type TemporaryFolder, temporaryFolder } from "./folders.js";
import { type HeldPort, holdPort } from "./held-port.js";
import { type ModuleEntry, writeConfig } from "./homeserver-yaml.js";
import { shimFolder } from "./own-files.js";
import { type Prepared, placeDatabase, prepareSynapse } from "./prepared.js";
import { Records } from "./records.js";
import { type Running, Server } from "./server.js";
import { startProcess } from "./synapse-process.js";

/** An entry of the bridge's `modules`, as in homeserver.yaml. */
export interface TestedModule {
  /** Relative to the folder of this process. */
  readonly path: string;
  readonly name?: string;
  readonly config?: unknown;
  readonly config_file?: string;
  readonly grants?: readonly string[] | "all";
  readonly mode?: "enforce" | "shadow" | "off";
  readonly shadow?: boolean;
  readonly isolated?: boolean;
  /** What a newer bridge has. */
  readonly [key: string]: unknown;
}

export interface SynapseOptions {
  /** The modules, in the order in which they are asked. */
  readonly modules?: readonly TestedModule[];
  /** Other keys of the bridge's block in homeserver.yaml, such as `timeout`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Other keys of homeserver.yaml. They win over the kit's own; `modules` are added after the bridge. */
  readonly homeserver?: Readonly<Record<string, unknown>>;
  /** Of Synapse. Default: that of the variable SYNAPSE_VERSION, else the newest that this release was tested with. */
  readonly version?: string;
  /** How many servers, which federate: the first one has the modules. The others are its `peers`. Default: 1. */
  readonly servers?: number;
  /** The modules of the peers. */
  readonly peerModules?: readonly TestedModule[];
  /** How long a server may take to start. Default: two minutes, for many that start at once. */
  readonly startTimeoutMs?: number;
}

const OPTIONS: Readonly<Record<keyof SynapseOptions, true>> = {
  ...{ modules: true, config: true, homeserver: true, version: true, servers: true, peerModules: true },
  startTimeoutMs: true,
};

/** The server that was asked for, and those that it federates with. */
export class TestSynapse extends Server {
  readonly peers: readonly Server[];

  constructor(
    running: Running,
    peers: readonly Server[],
    /** Called when all have ended. */
    private readonly cleanUp: () => void = () => undefined,
  ) {
    super(running);
    this.peers = peers;
  }

  /** Ends all of the servers and removes their folders. */
  override async close(): Promise<void> {
    await Promise.all([super.close(), ...this.peers.map((peer) => peer.close())]);
    this.cleanUp();
  }
}

/** What all the servers of one call share. */
interface Shared {
  readonly options: SynapseOptions;
  readonly installation: Prepared;
  readonly certificates?: Certificates;
}

/**
 * Starts a real Synapse with some modules, on SQLite in a temporary folder, without rate limits. The first time, Synapse is
 * installed from PyPI into a cache, which takes a minute. It talks to no other servers, but to its peers. It ends with
 * `close`, and in any case with this process.
 *
 * @throws SynapseStartError, with Synapse's last lines; an Error that says what to do where Synapse cannot be installed
 */
export async function startSynapse(options: SynapseOptions = {}): Promise<TestSynapse> {
  checkKeys("startSynapse", options, OPTIONS);
  refuseWindows();
  const count = options.servers ?? 1;
  if (!Number.isInteger(count) || count < 1) throw new Error("`servers` must be a whole number from 1");
  const installation = await prepareSynapse(options.version);
  const certificates = count > 1 ? makeCertificates(installation.python) : undefined;
  const cleanUp = certificates ? certificatesUntilTheEnd(certificates) : () => undefined;
  const shared = { options, installation, ...(certificates && { certificates }) };
  try {
    const held = certificates
      ? await Promise.all(Array.from({ length: count }, () => holdPort()))
      : [undefined];
    const [first, ...others] = await startAll(shared, held);
    return new TestSynapse(
      first,
      others.map((other) => new Server(other)),
      cleanUp,
    );
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/** Keeps them until this is called, or this process ends: a server reads them at some time during its start. */
function certificatesUntilTheEnd({ remove }: Certificates): () => void {
  const forget = whenThisProcessEnds(remove);
  return () => {
    forget();
    remove();
  };
}

/** Starts a server for each port. If one does not start, ends the others, and throws the error of the one that was first. */
async function startAll(
  shared: Shared,
  held: readonly (HeldPort | undefined)[],
): Promise<[Running, ...Running[]]> {
  const names = held.map((port) => port && `localhost:${port.port}`);
  let failure: { error: unknown } | undefined;
  const starts = held.map((port, index) =>
    startOne(shared, index, names, port).catch((error) => {
      failure ??= { error };
      port?.release();
      return undefined;
    }),
  );
  const running = (await Promise.all(starts)).filter((one) => one !== undefined);
  if (!failure) return running as [Running, ...Running[]];
  await Promise.all(running.map(({ process }) => process.stop()));
  throw failure.error;
}

async function startOne(
  shared: Shared,
  index: number,
  names: readonly (string | undefined)[],
  port?: HeldPort,
) {
  const { options, installation, certificates } = shared;
  const folder = temporaryFolder();
  return boot({
    ...{ options, installation, folder },
    modules: (index === 0 ? options.modules : options.peerModules) ?? [],
    allowed: names.flatMap((name) => name ?? []),
    ...(port && certificates && { federation: { heldPort: port, certificates } }),
  });
}

/** One server. */
export interface Boot {
  readonly options: SynapseOptions;
  readonly installation: Prepared;
  /** Where it works; removed when it has ended. */
  readonly folder: TemporaryFolder;
  readonly modules: readonly TestedModule[];
  /** The servers that it may talk to. */
  readonly allowed: readonly string[];
  readonly federation?: { readonly heldPort: HeldPort; readonly certificates: Certificates };
  /** The port for clients; default: any. Not together with `federation`. */
  readonly clientPort?: HeldPort;
  /** How many of its records are kept at least. Default: all. */
  readonly keptRecords?: number;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one server. If it does not start, its folder is removed. */
export async function boot(wanted: Boot): Promise<Running> {
  const { options, installation, folder, federation, clientPort } = wanted;
  const heldPort = federation?.heldPort ?? clientPort;
  try {
    const { modules: others, ...keys } = options.homeserver ?? {};
    const named = typeof keys.server_name === "string" ? keys.server_name : "test.localhost";
    const serverName = federation ? `localhost:${federation.heldPort.port}` : named;
    const recordsPath = path.join(folder.path, "bridge.jsonl");
    const sharedSecret = "registration";
    const entries: ModuleEntry[] = [
      ...bridgeEntry(wanted.modules, options),
      ...(Array.isArray(others) ? others : []),
    ];
    const { configPath, logPath } = writeConfig({
      dir: folder.path,
      serverName,
      sharedSecret,
      modules: entries,
      extraConfig: { federation_domain_whitelist: wanted.allowed, ...keys, server_name: serverName },
      recordsPath,
      port: clientPort?.port,
      ...(federation && {
        federation: { port: federation.heldPort.port, certificates: federation.certificates },
      }),
    });
    placeDatabase(installation, folder.path);
    const records = new Records(recordsPath, wanted.keptRecords);
    const process = await startProcess({
      python: installation.python,
      app: "homeserver",
      dir: folder.path,
      configPaths: [configPath],
      logPath,
      pythonPath: [shimFolder()],
      heldPort,
      ...(wanted.env && { env: wanted.env }),
      ...(federation && { certificates: federation.certificates }),
      ...(options.startTimeoutMs !== undefined && { startTimeoutMs: options.startTimeoutMs }),
      cleanUp: () => folder.remove(),
    });
    const { version } = installation;
    const hasBridge = entries.some(({ module }) => module.startsWith("synapse_module_bridge"));
    return { process, serverName, sharedSecret, version, dir: folder.path, records, hasBridge };
  } catch (error) {
    heldPort?.release();
    folder.remove();
    throw error;
  }
}

function bridgeEntry(modules: readonly TestedModule[], { config = {} }: SynapseOptions): ModuleEntry[] {
  if (modules.length === 0) return [];
  const absolute = modules.map((module) => ({
    ...module,
    path: path.resolve(module.path),
    ...(module.config_file !== undefined && { config_file: path.resolve(module.config_file) }),
  }));
  // The Node that runs the tests: so none is needed on PATH.
  const block = { node: process.execPath, ...config, modules: absolute };
  return [{ module: "synapse_module_bridge.ModuleBridge", config: block }];
}

function refuseWindows(): void {
  if (process.platform === "win32")
    throw new Error(
      "Synapse does not run on Windows: run these tests in WSL. Tests in memory (synapse-module-bridge/testing) work here.",
    );
}

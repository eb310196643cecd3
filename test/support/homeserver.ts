// Boots a real Synapse in a folder of its own, on SQLite and loopback, and ends it again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Certificates, makeCertificates } from "./certificates.js";
import { type LogLevels, type ModuleEntry, writeConfig } from "./config.js";
import { freePort } from "./ports.js";
import { type Surroundings, type SynapseProcess, startSynapse } from "./synapse-process.js";

export { HomeserverStartError } from "./synapse-process.js";

export interface HomeserverOptions extends Surroundings {
  /** The `modules:` of homeserver.yaml. */
  readonly modules?: readonly ModuleEntry[];
  /** More keys for homeserver.yaml; they win over the harness's own. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  /** Default: `test.localhost`. With federation it is always `localhost:PORT`. */
  readonly serverName?: string;
  /** Listens for other servers as well, with these certificates, which must be the same for all; `true` makes some. */
  readonly federation?: boolean | Certificates;
  readonly logLevels?: LogLevels;
}

/** Its `stop` also removes the folder. */
export interface Homeserver extends SynapseProcess {
  readonly serverName: string;
  readonly dir: string;
  readonly configPath: string;
  readonly sharedSecret: string;
}

export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const dir = mkdtempSync(join(tmpdir(), "bridge-synapse-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  try {
    return await boot(dir, options, remove);
  } catch (error) {
    remove();
    throw error;
  }
}

async function boot(dir: string, options: HomeserverOptions, remove: () => void): Promise<Homeserver> {
  const federation = await prepareFederation(options.federation);
  const serverName = federation ? `localhost:${federation.port}` : (options.serverName ?? "test.localhost");
  const sharedSecret = "registration";
  const { configPath, logPath } = writeConfig({
    dir,
    serverName,
    sharedSecret,
    modules: options.modules ?? [],
    extraConfig: options.extraConfig ?? {},
    logLevels: options.logLevels,
    ...(federation && { federation }),
  });
  const running = await startSynapse({
    ...options,
    app: "homeserver",
    dir,
    configPaths: [configPath],
    logPath,
    ...(federation && { certificates: federation.certificates }),
    cleanUp: () => {
      remove();
      federation?.remove();
    },
  });
  return { ...running, serverName, dir, configPath, sharedSecret };
}

/** The port is part of the server's name, so it must be known before Synapse starts. */
async function prepareFederation(option: HomeserverOptions["federation"]) {
  if (!option) return undefined;
  const port = await freePort();
  if (option !== true) return { port, certificates: option, remove: () => undefined };
  const certificates = makeCertificates();
  return { port, certificates, remove: certificates.remove };
}

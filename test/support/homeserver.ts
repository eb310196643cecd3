// Boots the real Synapse under test in a folder of its own by the kit for authors, and ends it again. Here are the things that
// only this project's tests need: another Python, modules in Python, variables of the environment, given certificates.
import { temporaryFolder } from "../../bridge/testing/synapse/folders.js";
import { type HeldPort, holdPort } from "../../bridge/testing/synapse/held-port.js";
import {
  type LogLevels,
  type ModuleEntry,
  writeConfig,
} from "../../bridge/testing/synapse/homeserver-yaml.js";
import { placeDatabase } from "../../bridge/testing/synapse/prepared.js";
import {
  type Surroundings,
  type SynapseProcess,
  startProcess,
} from "../../bridge/testing/synapse/synapse-process.js";
import { type Certificates, makeCertificates } from "./certificates.js";
import { preparedVenv } from "./prepared-venv.js";
import { subject } from "./subject.js";

export { SynapseStartError as HomeserverStartError } from "../../bridge/testing/synapse/synapse-process.js";

export interface HomeserverOptions extends Surroundings {
  /** The Python to run Synapse with, which has the shim; default: those of the subject. */
  readonly python?: string;
  /** The `modules:` of homeserver.yaml. */
  readonly modules?: readonly ModuleEntry[];
  /** More keys for homeserver.yaml; they win over the harness's own. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  /** Default: `test.localhost`. With federation it is always `localhost:PORT`. */
  readonly serverName?: string;
  /** Listens for other servers as well, with these certificates, which must be the same for all; `true` makes some. */
  readonly federation?: boolean | Certificates;
  readonly logLevels?: LogLevels;
  /** Lets Synapse make its tables by itself, with all background updates; default: from a database that has them. */
  readonly newDatabase?: boolean;
}

/** Its `stop` also removes the folder. */
export interface Homeserver extends SynapseProcess {
  readonly serverName: string;
  readonly dir: string;
  readonly configPath: string;
  readonly sharedSecret: string;
}

export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const folder = temporaryFolder();
  try {
    return await boot(folder.path, options, folder.remove);
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function boot(dir: string, options: HomeserverOptions, remove: () => void): Promise<Homeserver> {
  const heldPort = options.federation ? await holdPort() : undefined;
  const federation = heldPort && prepareFederation(heldPort, options.federation);
  const serverName = heldPort ? `localhost:${heldPort.port}` : (options.serverName ?? "test.localhost");
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
  const { python, shim } = subject();
  // Another Python may have another Synapse.
  if (!options.newDatabase && !options.python && !shim) placeDatabase(await preparedVenv(), dir);
  const running = await startProcess({
    python,
    ...options,
    ...(shim && !options.python && { pythonPath: [...(options.pythonPath ?? []), shim] }),
    app: "homeserver",
    dir,
    configPaths: [configPath],
    logPath,
    heldPort,
    ...(federation && { certificates: federation.certificates }),
    cleanUp: () => {
      remove();
      federation?.remove();
    },
  });
  return { ...running, serverName, dir, configPath, sharedSecret };
}

function prepareFederation({ port }: HeldPort, option: HomeserverOptions["federation"]) {
  if (typeof option === "object") return { port, certificates: option, remove: () => undefined };
  const certificates = makeCertificates();
  return { port, certificates, remove: certificates.remove };
}

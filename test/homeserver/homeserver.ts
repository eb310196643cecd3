// Boots a real Synapse in a folder of its own, on SQLite and loopback, and ends it again.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Certificates, makeCertificates } from "./certificates.js";
import { endWithParent } from "./children.js";
import { type ModuleEntry, writeConfig } from "./config.js";
import { harnessFile, venvPython } from "./paths.js";
import { waitFor } from "./wait.js";

export interface HomeserverOptions {
  /** The `modules:` of homeserver.yaml. */
  readonly modules?: readonly ModuleEntry[];
  /** More keys for homeserver.yaml; they win over the harness's own. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  /** Default: `test.localhost`. With federation it is always `localhost:PORT`. */
  readonly serverName?: string;
  /** Listens for other servers as well, with these certificates, which must be the same for all; `true` makes some. */
  readonly federation?: boolean | Certificates;
  /** The Python to run Synapse with; default: that of .venv. */
  readonly python?: string;
  /** Folders for PYTHONPATH, for modules that are not installed. */
  readonly pythonPath?: readonly string[];
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take until /health answers. */
  readonly startTimeoutMs?: number;
}

export interface Homeserver {
  readonly baseUrl: string;
  readonly serverName: string;
  readonly dir: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly sharedSecret: string;
  readonly pid: number;
  /** From spawn to the first good answer of /health. */
  readonly startedInMs: number;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  /** What Synapse has logged so far. */
  log(): string;
  /** Resolves with the exit code (null: ended by a signal) when the process ends, for whatever reason. */
  readonly exited: Promise<number | null>;
  /** Ends the process and removes the folder. */
  stop(): Promise<void>;
}

/** Synapse ended, or did not answer in time, before it was up. */
export class HomeserverStartError extends Error {
  constructor(
    /** The folder that the process worked in; it is gone. */
    readonly dir: string,
    readonly exitCode: number | null,
    readonly stdout: string,
    readonly stderr: string,
    readonly log: string,
    reason: string,
  ) {
    super(`Synapse ${reason}\n--- stderr\n${stderr}\n--- log\n${log.slice(-4000)}`);
    this.name = "HomeserverStartError";
  }
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
  const began = Date.now();
  const federation = await prepareFederation(options.federation);
  const removeAll = () => {
    remove();
    federation?.remove();
  };
  const serverName = federation ? `localhost:${federation.port}` : (options.serverName ?? "test.localhost");
  const sharedSecret = "registration";
  const { configPath, logPath } = writeConfig({
    dir,
    serverName,
    sharedSecret,
    modules: options.modules ?? [],
    extraConfig: options.extraConfig ?? {},
    ...(federation && { federation }),
  });
  const child = spawn(
    options.python ?? venvPython(),
    [harnessFile("launch.py"), String(process.pid), "synapse.app.homeserver", "-c", configPath],
    { cwd: dir, stdio: ["ignore", "pipe", "pipe"], env: environment(options, federation?.certificates) },
  );
  const forget = endWithParent(child, removeAll);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const log = () => (existsSync(logPath) ? readFileSync(logPath, "utf8") : "");
  let ended = false;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      ended = true;
      resolve(code);
    });
  });

  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));

  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    const insist = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(insist);
    forget();
    removeAll();
  };
  const fail = async (reason: string): Promise<never> => {
    const failure = new HomeserverStartError(dir, child.exitCode, stdout(), stderr(), log(), reason);
    await stop();
    throw failure;
  };

  const timeoutMs = options.startTimeoutMs ?? 60_000;
  const up = waitFor("Synapse's /health", () => (ended ? "" : answering(log())), timeoutMs);
  const baseUrl = await Promise.race([up.catch(() => undefined), exited.then(() => "")]);
  if (baseUrl === "") {
    await Promise.race([closed, pause(2000, undefined, { ref: false })]); // a grandchild may hold the pipes
    return fail(`ended with exit code ${child.exitCode} before it was up`);
  }
  if (baseUrl === undefined) return fail(`was not up after ${timeoutMs} ms`);
  const pid = child.pid as number;
  const startedInMs = Date.now() - began;
  return {
    baseUrl,
    serverName,
    dir,
    configPath,
    logPath,
    sharedSecret,
    pid,
    startedInMs,
    stdout,
    stderr,
    log,
    exited,
    stop,
  };
}

function environment(options: HomeserverOptions, certificates: Certificates | undefined): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PYTHONPATH: options.pythonPath?.join(":"),
    // Identity servers and the like, which are asked over https, are trusted through this.
    SSL_CERT_FILE: certificates?.certificatePath ?? process.env.SSL_CERT_FILE,
    ...options.env,
  };
  // A jest worker's options are for jest, not for the Node that the bridge starts.
  if (!("NODE_OPTIONS" in (options.env ?? {}))) delete environment.NODE_OPTIONS;
  return environment;
}

/** The address of the client listener, once it is there and /health says OK. */
async function answering(log: string): Promise<string | undefined> {
  const port = /now listening on TCP port (\d+)(?! \(TLS\))\s/.exec(log)?.[1];
  if (port === undefined) return undefined;
  const baseUrl = `http://127.0.0.1:${port}`;
  const response = await fetch(`${baseUrl}/health`).catch(() => undefined);
  return response?.ok ? baseUrl : undefined;
}

async function prepareFederation(option: HomeserverOptions["federation"]) {
  if (!option) return undefined;
  const port = await freePort();
  if (option !== true) return { port, certificates: option, remove: () => undefined };
  const certificates = makeCertificates();
  return { port, certificates, remove: certificates.remove };
}

/** The port is part of the server's name, so it must be known before Synapse starts. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

// Starts one process of Synapse (the main one, or a worker), and waits until it is up.
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Certificates } from "./certificates.js";
import { venvPython } from "./paths.js";
import { startProgram } from "./program.js";
import { waitFor } from "./wait.js";

export interface Surroundings {
  /** The Python to run Synapse with; default: that of .venv. */
  readonly python?: string;
  /** Folders for PYTHONPATH, for modules that are not installed. */
  readonly pythonPath?: readonly string[];
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take until /health answers. */
  readonly startTimeoutMs?: number;
}

export interface SynapseProcessOptions extends Surroundings {
  readonly app: "homeserver" | "generic_worker";
  readonly dir: string;
  /** Later files win. */
  readonly configPaths: readonly string[];
  readonly logPath: string;
  readonly certificates?: Certificates;
  readonly cleanUp?: () => void;
}

export interface SynapseProcess {
  readonly baseUrl: string;
  readonly logPath: string;
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
  /** Ends the process. */
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

export async function startSynapse(options: SynapseProcessOptions): Promise<SynapseProcess> {
  const { dir, logPath, configPaths } = options;
  const began = Date.now();
  const program = startProgram({
    command: options.python ?? venvPython(),
    args: ["-m", `synapse.app.${options.app}`, ...configPaths.flatMap((path) => ["-c", path])],
    cwd: dir,
    env: environment(options),
    ...(options.cleanUp && { cleanUp: options.cleanUp }),
  });
  const { pid, stdout, stderr, exited, stop } = program;
  const log = () => (existsSync(logPath) ? readFileSync(logPath, "utf8") : "");
  const fail = async (reason: string, exitCode: number | null): Promise<never> => {
    const failure = new HomeserverStartError(dir, exitCode, stdout(), stderr(), log(), reason);
    await stop();
    throw failure;
  };

  const timeoutMs = options.startTimeoutMs ?? 60_000;
  const up = waitFor("Synapse's /health", () => (program.hasEnded() ? "" : answering(log())), timeoutMs);
  const baseUrl = await Promise.race([up.catch(() => undefined), exited.then(() => "")]);
  if (baseUrl === "") {
    await Promise.race([program.closed, pause(2000, undefined, { ref: false })]); // a grandchild may hold the pipes
    const exitCode = await exited;
    return fail(`ended with exit code ${exitCode} before it was up`, exitCode);
  }
  if (baseUrl === undefined) return fail(`was not up after ${timeoutMs} ms`, null);
  return { baseUrl, logPath, pid, startedInMs: Date.now() - began, stdout, stderr, log, exited, stop };
}

/** The environment that Synapse starts in. */
export function environment(
  options: Surroundings & { readonly certificates?: Certificates },
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PYTHONPATH: options.pythonPath?.join(":"),
    // Identity servers and the like, which are asked over https, are trusted through this.
    SSL_CERT_FILE: options.certificates?.certificatePath ?? process.env.SSL_CERT_FILE,
    ...options.env,
  };
  // A jest worker's options are for jest, not for the Node that the bridge starts.
  if (!("NODE_OPTIONS" in (options.env ?? {}))) delete environment.NODE_OPTIONS;
  return environment;
}

/** The address of the client listener, once it is there and /health says OK. */
export async function answering(log: string): Promise<string | undefined> {
  const port = /now listening on TCP port (\d+)(?! \(TLS\))\s/.exec(log)?.[1];
  if (port === undefined) return undefined;
  const baseUrl = `http://127.0.0.1:${port}`;
  const response = await fetch(`${baseUrl}/health`).catch(() => undefined);
  return response?.ok ? baseUrl : undefined;
}

// Starts one process of Synapse (the main one, or a worker), and waits until it is up.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { endWithThisProcess } from "../../base/children.js";
import { real } from "../../base/real-time.js";
import type { Certificates } from "./certificates.js";
import type { HeldPort } from "./held-port.js";
import { ownFile } from "./own-files.js";
import { waitFor } from "./wait.js";

export interface Surroundings {
  /** Folders for PYTHONPATH, for modules that are not installed. */
  readonly pythonPath?: readonly string[];
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take until /health answers. */
  readonly startTimeoutMs?: number;
}

export interface SynapseProcessOptions extends Surroundings {
  /** The Python to run Synapse with. */
  readonly python: string;
  /** Synapse's program, such as `homeserver` or `generic_worker`. */
  readonly app: string;
  readonly dir: string;
  /** Later files win. */
  readonly configPaths: readonly string[];
  readonly logPath: string;
  /** The port of one of its listeners, which it inherits. */
  readonly heldPort?: HeldPort | undefined;
  readonly certificates?: Certificates;
  /** Called once it has ended by `stop`, or when this process is about to end. */
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

// Ten that start at once on two cores, beside other work, take a minute.
const START_MS = 120_000;
// How long Synapse may take to end when it is asked to.
const STOP_MS = 10_000;
// How long to read what it has printed before it ended: a grandchild may hold the pipes.
const REST_MS = 2_000;
const SHOWN_LINES = 20;

/** What a Synapse that did not start has left. */
interface Remains {
  /** The folder that it worked in; it is gone. */
  readonly dir: string;
  /** null: it was ended by a signal, or did not end by itself. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly log: string;
}

/**
 * Synapse ended, or did not answer in time, before it was up. Its message begins with the cause, and has the last lines that
 * Synapse logged and printed.
 */
export class SynapseStartError extends Error {
  declare readonly dir: string;
  declare readonly exitCode: number | null;
  declare readonly stdout: string;
  declare readonly stderr: string;
  declare readonly log: string;

  constructor(reason: string, remains: Remains) {
    const { exitCode, log, stderr } = remains;
    const cause = exitCode === null ? "" : causeOf(stderr);
    // Synapse prints most errors that it logs once more.
    const printed =
      cause !== "" && log.includes(cause) ? "" : `\n--- its standard error\n${lastLines(stderr)}`;
    super(`Synapse ${reason}${cause && `: ${cause}`}\n--- its log\n${lastLines(log)}${printed}`);
    this.name = "SynapseStartError";
    // Not shown by test runners: the message has what matters.
    for (const [name, value] of Object.entries(remains))
      Object.defineProperty(this, name, { value, enumerable: false });
  }
}

// What Python prints before the text of an error.
const PYTHON_NAME = /^[\w.]+(?:Error|Exception): /;
// Synapse's frame around an error, and what it adds below it.
const FRAME = /^(?:\**|There may be more information in the logs\.)$/;

/** The text of the error with which Synapse ended, from its standard error; else the last line there. */
export function causeOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const error = lines.findLast((line) => PYTHON_NAME.test(line));
  return error?.replace(PYTHON_NAME, "") ?? lines.findLast((line) => !FRAME.test(line)) ?? "";
}

/** The end of what was printed, in which the cause of a failure is. */
export const lastLines = (text: string) => text.trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");

export async function startProcess(options: SynapseProcessOptions): Promise<SynapseProcess> {
  const { dir, logPath, cleanUp = () => undefined } = options;
  const began = Date.now();
  const portsPath = `${logPath}.ports`;
  rmSync(portsPath, { force: true }); // those of an earlier process in this folder
  const child = launch(options, portsPath);
  const forget = endWithThisProcess(child, cleanUp);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const log = () => (existsSync(logPath) ? readFileSync(logPath, "utf8") : "");
  let hasEnded = false;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => {
      // Without a process id, it has not started.
      hasEnded = child.pid === undefined;
      reject(error);
    });
    child.once("exit", (code) => {
      hasEnded = true;
      resolve(code);
    });
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async () => {
    if (!hasEnded) child.kill("SIGTERM");
    const insist = real.setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exited.catch(() => undefined);
    real.clearTimeout(insist);
    forget();
    cleanUp();
  };
  const fail = async (reason: string, exitCode: number | null): Promise<never> => {
    const remains = { dir, exitCode, stdout: stdout(), stderr: stderr(), log: log() };
    const failure = new SynapseStartError(reason, remains);
    await stop();
    throw failure;
  };

  const timeoutMs = options.startTimeoutMs ?? START_MS;
  const up = waitFor("Synapse's /health", () => (hasEnded ? "" : answering(portsPath)), timeoutMs);
  const baseUrl = await Promise.race([up.catch(() => undefined), exited.then(() => "")]).catch((error) => {
    forget();
    cleanUp();
    throw error;
  });
  if (baseUrl === "") {
    await real.atMost(REST_MS, closed);
    const exitCode = await exited;
    return fail(`ended with exit code ${exitCode} before it was up`, exitCode);
  }
  if (baseUrl === undefined) return fail(`was not up after ${timeoutMs} ms`, null);
  const startedInMs = Date.now() - began;
  return { baseUrl, logPath, pid: child.pid as number, startedInMs, stdout, stderr, log, exited, stop };
}

function launch(options: SynapseProcessOptions, portsPath: string): ChildProcess {
  const { heldPort } = options;
  const inherited = heldPort ? String(heldPort.port) : "-";
  const args = [ownFile("launch.py"), String(process.pid), portsPath, inherited, options.app];
  const child = spawn(options.python, [...args, ...options.configPaths.flatMap((file) => ["-c", file])], {
    cwd: options.dir,
    stdio: ["ignore", "pipe", "pipe", ...(heldPort ? [heldPort.descriptor] : [])],
    env: environment(options),
  });
  heldPort?.release();
  return child;
}

/** The environment that Synapse starts in. */
export function environment(
  options: Surroundings & { readonly certificates?: Certificates | undefined },
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PYTHONHOME: undefined,
    PYTHONPATH: options.pythonPath?.join(":"),
    // Identity servers and the like, which are asked over https, are trusted through this.
    SSL_CERT_FILE: options.certificates?.certificatePath ?? process.env.SSL_CERT_FILE,
    ...options.env,
  };
  // A test runner's options are for the runner, not for the Node that the bridge starts.
  if (!("NODE_OPTIONS" in (options.env ?? {}))) delete environment.NODE_OPTIONS;
  return environment;
}

/** The address of the client listener, once it is there and /health says OK. */
async function answering(portsPath: string): Promise<string | undefined> {
  const [port, ...rest] = existsSync(portsPath) ? readFileSync(portsPath, "ascii").split("\n") : [];
  if (!port || rest.length === 0) return undefined;
  const baseUrl = `http://127.0.0.1:${port}`;
  const response = await fetch(`${baseUrl}/health`).catch(() => undefined);
  return response?.ok ? baseUrl : undefined;
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

// Starts a program that ends with this process, keeps what it prints, and ends it again by its own id.
import { spawn } from "node:child_process";
import { endWithThisProcess } from "../../bridge/base/children.js";
import { waitFor } from "../../bridge/testing/synapse/wait.js";
import { harnessFile, venvPython } from "./paths.js";

export interface ProgramOptions {
  /** An absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The id of the user to run it as; default: the same. */
  readonly user?: number;
  /** What ends it; default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Called once it has ended by `stop`, or when this process is about to end. */
  readonly cleanUp?: () => void;
}

export interface Program {
  readonly pid: number;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  hasEnded(): boolean;
  /** Resolves with the exit code (null: ended by a signal) when the process ends, for whatever reason. */
  readonly exited: Promise<number | null>;
  /** Resolves when nobody can print any more: a child of the program may hold its output. */
  readonly closed: Promise<void>;
  /** Ends the process. */
  stop(): Promise<void>;
}

const patienceMs = 10_000;

export function startProgram(options: ProgramOptions): Program {
  const { command, args, cwd, user, stopSignal = "SIGTERM", cleanUp = () => undefined } = options;
  const launch = [harnessFile("launch.py"), String(process.pid), stopSignal, user ? String(user) : "-"];
  const child = spawn(venvPython(), [...launch, command, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.env && { env: options.env }),
  });
  const forget = endWithThisProcess(child, cleanUp);
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
    if (!ended) child.kill(stopSignal);
    const insist = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await exited;
    clearTimeout(insist);
    forget();
    cleanUp();
  };
  return {
    pid: child.pid as number,
    stdout: collect(child.stdout),
    stderr: collect(child.stderr),
    hasEnded: () => ended,
    exited,
    closed,
    stop,
  };
}

/** Waits until a program that was started serves. If it ends before, or does not become ready in time, it is stopped. */
export async function untilReady(name: string, program: Program, isReady: () => unknown): Promise<void> {
  try {
    await waitFor(name, () => {
      if (program.hasEnded())
        throw new Error(`${name} did not start:\n${program.stdout()}${program.stderr()}`);
      return isReady();
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

// Runs `check` and `call` in a process of their own, since a module may end, crash or hang the one that it is loaded in.
// The command's own process says which one did, and writes the answer: no module reaches its standard output.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { LIMITS } from "../catalogue/protocol.js";

/** What the working process does, or has done. */
export type Progress =
  | { readonly loading: string }
  | { readonly asking: string }
  | { readonly between: true }
  | { readonly answer: string }
  | { readonly done: number };

export type ReportProgress = (progress: Progress) => void;

// In the environment of the working process: where it tells.
const REPORTS_PROGRESS = "SYNAPSE_MODULE_BRIDGE_TELLS";
const DESCRIPTOR = 3;
// As `start_timeout` of homeserver.yaml has it by default.
const LOAD_LIMIT = LIMITS.start_timeout_ms;
// Of what was told before the process ended, all is there to be read.
const REST_LIMIT = 1_000;
// Node's exit code for a module whose top level waits for something that cannot come any more.
const UNSETTLED = 13;

/** For the working process; undefined in the command's own. A debugger looks at one process: there it is both. */
export function openProgressReport(): ReportProgress | undefined {
  if (isDebugged()) return (progress) => void ("answer" in progress && process.stdout.write(progress.answer));
  if (process.env[REPORTS_PROGRESS] === undefined) return undefined;
  delete process.env[REPORTS_PROGRESS];
  return (progress) => write(`${JSON.stringify(progress)}\n`);
}

function isDebugged(): boolean {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((option) => option.includes("--inspect"));
}

/** At once, however this process ends. */
function write(text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(DESCRIPTOR, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** In the command's own process: does what it was asked in another, and gives the exit code. */
export async function runInSubprocess(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    // What modules print goes to standard error: standard output is for the answer alone.
    stdio: ["inherit", 2, "inherit", "pipe"],
    env: { ...process.env, [REPORTS_PROGRESS]: "" },
  });
  // A terminal sends it to both: the other one ends by it.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const state = new SubprocessState(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdio[DESCRIPTOR] as Readable });
  lines.on("line", (line) => state.report(JSON.parse(line) as Progress));
  const read = once(lines, "close");
  const [code, signal]: [number | null, NodeJS.Signals | null] = await Promise.race([
    once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>,
    once(child, "error").then(([error]) => Promise.reject(error)),
  ]);
  await Promise.race([read, pause(REST_LIMIT)]);
  return state.ended(code, signal);
}

class SubprocessState {
  #now: Progress = { between: true };
  #limit: NodeJS.Timeout | undefined;
  #isLate = false;

  constructor(private readonly kill: () => void) {}

  report(progress: Progress): void {
    if ("answer" in progress) {
      process.stdout.write(progress.answer);
      return;
    }
    clearTimeout(this.#limit);
    this.#now = progress;
    if (!("loading" in progress)) return;
    this.#limit = setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, LOAD_LIMIT);
  }

  /** Says how it ended where it should not have; gives the exit code. */
  ended(code: number | null, signal: NodeJS.Signals | null): number {
    clearTimeout(this.#limit);
    if ("done" in this.#now) return signal === null ? this.#now.done : 1;
    // Somebody has ended it; a shell's exit code for that.
    if (signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP")
      return 128 + constants.signals[signal];
    process.stderr.write(
      `${this.#describe(signal === null ? `exit code ${code}` : `killed by ${signal}`)}\n`,
    );
    return 1;
  }

  #describe(cause: string): string {
    const now = this.#now;
    if ("loading" in now) {
      if (this.#isLate)
        return `${now.loading}: was not loaded within ${LOAD_LIMIT / 1000} s: does it wait, or compute for long, at its top level?`;
      if (cause === `exit code ${UNSETTLED}`)
        return `${now.loading}: is never loaded: its top level waits for something that cannot come`;
      return `${now.loading}: Node ended while it loaded this module (${cause})${remedy(cause)}`;
    }
    if ("asking" in now) {
      if (cause === `exit code ${UNSETTLED}`)
        return `${now.asking}: is never answered: it waits for something that cannot come`;
      return `${now.asking}: Node ended while the module was asked (${cause})${remedy(cause)}`;
    }
    return `Node ended before all was done (${cause})${remedy(cause)}`;
  }
}

function remedy(cause: string): string {
  return cause.startsWith("exit code ")
    ? ": a module must not call process.exit; it throws an error to stop the start"
    : "";
}

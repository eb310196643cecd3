// Runs `check`, `call` and `replay` in a subprocess, since a module may end, crash or hang the process that loads it. The
// command's own process names the module that did, and prints the answer: modules cannot write to its standard output.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { LIMITS } from "../catalogue/protocol.js";

/** What the subprocess is doing, or has done. */
type Progress =
  | { readonly loading: string }
  /** `within_ms`: it counts as hung if nothing else is reported within this time. */
  | { readonly asking: string; readonly within_ms?: number }
  | { readonly between: true }
  | { readonly answer: string }
  | { readonly done: number };

export type ReportProgress = (progress: Progress) => void;

// The variable in the subprocess's environment that makes it report its progress.
const REPORTS_PROGRESS = "SYNAPSE_MODULE_BRIDGE_TELLS";
const DESCRIPTOR = 3;
// The default of `start_timeout` in homeserver.yaml.
const LOAD_LIMIT = LIMITS.start_timeout_ms;
// How long to read what the subprocess has reported before it ended.
const REST_LIMIT = 1_000;
// Node's exit code for a top-level await that can never resolve.
const UNSETTLED = 13;

/**
 * Returns the subprocess's function to report its progress; undefined in the command's own process. Under a debugger, which
 * watches one process, there is no subprocess.
 */
export function openProgressReport(): ReportProgress | undefined {
  if (isDebugged()) return (progress) => void ("answer" in progress && process.stdout.write(progress.answer));
  if (process.env[REPORTS_PROGRESS] === undefined) return undefined;
  delete process.env[REPORTS_PROGRESS];
  return (progress) => write(`${JSON.stringify(progress)}\n`);
}

function isDebugged(): boolean {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((option) => option.includes("--inspect"));
}

/** Writes synchronously, so that nothing is lost however the process ends. */
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

/** Runs this command again in a subprocess. Returns its exit code, and why it ended too early if it did. */
export async function runInSubprocess(): Promise<{ code: number; problem?: string }> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    // What modules print goes to standard error. Standard output is only for the answer.
    stdio: ["inherit", 2, "inherit", "pipe"],
    env: { ...process.env, [REPORTS_PROGRESS]: "" },
  });
  // A terminal sends SIGINT to both processes. The subprocess ends, and this one reports that.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  // Such as when nobody reads the answer any more.
  process.on("exit", () => child.kill("SIGKILL"));
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
    const limit = "loading" in progress ? LOAD_LIMIT : "asking" in progress ? progress.within_ms : undefined;
    if (limit === undefined) return;
    this.#limit = setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, limit);
  }

  /** The exit code, and why the subprocess ended too early if it did. */
  ended(code: number | null, signal: NodeJS.Signals | null): { code: number; problem?: string } {
    clearTimeout(this.#limit);
    if ("done" in this.#now) return { code: signal === null ? this.#now.done : 1 };
    // Somebody has stopped it: the exit code that a shell uses for a signal.
    if (signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP")
      return { code: 128 + constants.signals[signal] };
    return {
      code: 1,
      problem: this.#describe(signal === null ? `exit code ${code}` : `killed by ${signal}`),
    };
  }

  #describe(cause: string): string {
    const now = this.#now;
    if ("loading" in now) {
      if (this.#isLate)
        return `${now.loading}: was not loaded within ${LOAD_LIMIT / 1000} s: does it wait, or compute for long, at its top level?`;
      if (cause === `exit code ${UNSETTLED}`)
        return `${now.loading}: is never loaded: its top level waits for something that never happens`;
      return `${now.loading}: Node ended while it loaded this module (${cause})${remedy(cause)}`;
    }
    if ("asking" in now) {
      if (this.#isLate)
        return `${now.asking}: the module blocked Node for ${(now.within_ms ?? 0) / 1000} s, and was not asked further`;
      if (cause === `exit code ${UNSETTLED}`)
        return `${now.asking}: is never answered: it waits for something that never happens`;
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

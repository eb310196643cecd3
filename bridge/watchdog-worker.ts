// The thread that watches the event loop of the main thread: see watchdog.ts.
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { performance } from "node:perf_hooks";
import { workerData } from "node:worker_threads";

export interface Watched {
  readonly beats: SharedArrayBuffer;
  readonly modules: readonly { readonly name: string; readonly file: string }[];
}

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

// Longer than any sound handler computes, shorter than people wait.
const BLOCKED_MS = 3_000;
const LOOK_MS = 500;
// A pause that native code does not let through is given up.
const PAUSE_MS = 1_000;
const MOST_FRAMES = 12;

const { beats, modules } = workerData as Watched;
const counter = new Int32Array(beats);
let last = 0;
let since = performance.now();
let looked = since;

const look = setInterval(() => {
  const now = performance.now();
  const beat = Atomics.load(counter, 0);
  // Where this thread was held up too (a stopped process, a starved machine), the main thread is not to blame.
  if (beat !== last || now - looked > 2 * LOOK_MS) {
    last = beat;
    since = now;
  }
  looked = now;
  if (now - since >= BLOCKED_MS) {
    clearInterval(look);
    report(now - since);
  }
}, LOOK_MS);

function report(blockedFor: number): void {
  const session = new Session();
  const files = new Map<string, string>();
  session.connectToMainThread();
  session.on("Debugger.scriptParsed", ({ params }) => files.set(params.scriptId, params.url));
  session.on("Debugger.paused", ({ params }) => end(blockedFor, describe(params.callFrames, files)));
  session.post("Debugger.enable");
  session.post("Debugger.pause");
  // Keeps this thread's loop turning until the answer comes, too.
  setTimeout(() => end(blockedFor, ["(in native code)"]), PAUSE_MS);
}

function describe(frames: readonly Frame[], files: ReadonlyMap<string, string>): string[] {
  return frames.slice(0, MOST_FRAMES).map(({ functionName, location }) => {
    const file = (files.get(location.scriptId) ?? "").replace(/^file:\/\//, "");
    return `    at ${functionName || "(anonymous)"} (${file}:${location.lineNumber + 1})`;
  });
}

function end(blockedFor: number, stack: readonly string[]): void {
  const module = modules.find(({ file }) => stack.some((frame) => frame.includes(file)))?.name;
  const message = `${module ?? "something"} has blocked the event loop for ${(blockedFor / 1000).toFixed(1)} s: Node is ended`;
  const line = {
    level: 60,
    time: Date.now(),
    ...(module && { module }),
    host_ends: "event loop blocked",
    msg: message,
    err: { message, stack: [message, ...stack].join("\n") },
  };
  writeSync(2, `${JSON.stringify(line)}\n`);
  process.kill(process.pid, "SIGKILL");
}

// Halts a blocked thread with Node's inspector, and returns its stack. No port is opened. The thread must be ended afterwards.
import { setTimeout } from "node:timers/promises";

// How long to wait. A thread in native code, such as execSync, never halts.
const PATIENCE_MS = 500;

interface Frame {
  functionName: string;
  location: { scriptId: string; lineNumber: number; columnNumber?: number };
}

export interface HaltedThread {
  /** In the format of an Error's stack; empty if the thread did not halt. */
  stack: string;
  /** Resumes the thread. Call it after ending the thread, which ends only when it runs again. */
  release(): void;
}

export async function haltThread(threadId: number): Promise<HaltedThread> {
  const inspector = await import("node:inspector").catch(() => undefined);
  if (!inspector) return { stack: "", release: () => {} };
  const session = new inspector.Session();
  session.connect();
  let sessionId: string | undefined;
  const send = (id: number, method: string) => {
    const message = JSON.stringify({ id, method, params: {} });
    if (sessionId !== undefined) session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
  };
  const scripts = new Map<string, string>();
  const halted = new Promise<string>((resolve) => {
    session.on("NodeWorker.attachedToWorker", ({ params }) => {
      if (threadIdOf(params.workerInfo) !== threadId) return;
      sessionId = params.sessionId;
      send(1, "Debugger.enable");
      send(2, "Debugger.pause");
    });
    session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
      const { method, params: found } = JSON.parse(params.message);
      if (params.sessionId !== sessionId) return;
      if (method === "Debugger.scriptParsed") scripts.set(found.scriptId, found.url);
      if (method === "Debugger.paused")
        resolve(found.callFrames.map((frame: Frame) => describe(frame, scripts)).join("\n"));
    });
  });
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  const stack = await Promise.race([halted, setTimeout(PATIENCE_MS, "", { ref: false })]);
  const release = () => {
    send(3, "Debugger.resume");
    // Sends the message first.
    setImmediate(() => session.disconnect());
  };
  return { stack, release };
}

/** The inspector's own `workerId` only counts the threads that a session has seen. The title is such as "[worker 7]". */
function threadIdOf({ title }: { title: string }): number {
  return Number(/\d+/.exec(title)?.[0]);
}

function describe({ functionName, location }: Frame, scripts: ReadonlyMap<string, string>): string {
  const { scriptId, lineNumber, columnNumber = 0 } = location;
  const place = `${scripts.get(scriptId)}:${lineNumber + 1}:${columnNumber + 1}`;
  return functionName ? `    at ${functionName} (${place})` : `    at ${place}`;
}

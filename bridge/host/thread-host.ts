// Runs the host inside a thread: serves some of the modules to the main thread until that closes the connection. What would
// end the process ends only the thread.

import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { VERSION } from "../base/version.js";
import { catalogue } from "../catalogue/catalogue.js";
import { CAUSES, LIMITS } from "../catalogue/protocol.js";
import { PipedRecords } from "../logging/records.js";
import { watchMemory } from "../threads/memory-watch.js";
import type { ThreadData } from "../threads/thread-data.js";
import { PortReader, ThreadWriter } from "../transport/port.js";
import { Host } from "./host.js";
import { type MonitoredHost, monitorHost } from "./monitored-host.js";

// In milliseconds. Less than the process has.
const FINISH_LIMIT = 1_000;
// In characters: how much of the records may be on the way to the main thread. The rest waits in the thread's own memory.
const MOST_UNDER_WAY = 256 * 1024;

export function serveThread({
  rpc,
  records: port,
  underWay,
  pulse_ms,
  memory,
  setupTimes,
}: ThreadData): void {
  const records = new PipedRecords((bytes) => {
    if (Atomics.load(underWay, 0) > MOST_UNDER_WAY) throw Object.assign(new Error(), { code: "EAGAIN" });
    const text = Buffer.from(bytes).toString();
    Atomics.add(underWay, 0, text.length);
    port.postMessage(text);
    return bytes.byteLength;
  });
  const reader = new PortReader(rpc);
  const monitored = monitorHost(
    records,
    (log) =>
      new Host(reader, new ThreadWriter(rpc, reader), {
        catalogue: catalogue(),
        log,
        version: VERSION,
        pulse_ms,
        ...(setupTimes && { setupTimes }),
      }),
  );
  const { host, exitReporter } = monitored;
  endThisThreadAlone(monitored);
  watchMemory(memory, () => {
    records.ends(CAUSES.memory, null, 1);
    exitReporter.exit(1);
  });
  host.connection.onClose(async () => {
    await Promise.race([host.finish(FINISH_LIMIT), setTimeout(FINISH_LIMIT + LIMITS.close_ms)]);
    exitReporter.exit(0);
  });
  host.listen();
}

function endThisThreadAlone({ exitReporter }: MonitoredHost): void {
  // Node throws if a thread calls process.abort. That stays so: it is an error of the module like any other.
  const { abort } = process;
  const kill = process.kill.bind(process);
  process.kill = (pid: number, signal: string | number = "SIGTERM"): true => {
    const number = typeof signal === "number" ? signal : constants.signals[signal as "SIGTERM"];
    return pid === process.pid && number > 0 ? exitReporter.exit(128 + number) : kill(pid, signal);
  };
  exitReporter.watch();
  process.abort = abort;
}

// The host as a process: takes the wire away from the standard streams, serves until its input closes, finishes what is
// under way and exits. While its input is open, only the shim's signals end it: Synapse decides when it goes.

import { setTimeout } from "node:timers/promises";
import { VERSION } from "../base/version.js";
import { catalogue } from "../catalogue/catalogue.js";
import { LIMITS } from "../catalogue/protocol.js";
import { openRecords } from "../logging/records.js";
import { HeldThreads, threadsBlockExit } from "../threads/held-threads.js";
import { makeLoopsInterruptible } from "../threads/interruptible.js";
import { threadMemory } from "../threads/thread-memory.js";
import { FrameReader, FrameWriter } from "../transport/framing.js";
import { takeWire } from "../transport/own-wire.js";
import { Host } from "./host.js";
import { monitorHost } from "./monitored-host.js";

// The shim closes the input once nobody waits for an answer any more, or has been killed: then Node is gone in good time.
const FINISH_LIMIT = LIMITS.finish_ms - 500;
// SIGUSR1 would open Node's debugger to whoever is on this machine.
// SIGINT is the shim's: it makes a Node that is blocked say where (--trace-sigint), which a listener here would prevent.
const SIGNALS = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** `records` is the descriptor of the pipe for records, `entry` the file that its threads run. */
export function serve(records: number, entry: URL): void {
  makeLoopsInterruptible();
  const wire = takeWire(records);
  const out = openRecords(wire.records);
  const { host, exitReporter, log } = monitorHost(
    out,
    (log) =>
      new Host(new FrameReader(wire.input), new FrameWriter(wire.output), {
        catalogue: catalogue(),
        log,
        version: VERSION,
        threads: {
          entry,
          records: out,
          memory: threadMemory(),
          held: new HeldThreads(log, ({ cause, module }) => exitReporter.kill(cause, module)),
        },
      }),
  );
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  process.on("newListener", (event) => {
    if (event !== "SIGINT") return;
    log.warn("a listener of SIGINT is not kept: the signal makes a Node that is blocked say where");
    queueMicrotask(() => process.removeAllListeners("SIGINT"));
  });
  process.on("exit", () => {
    // Node would wait for it, and nobody for Node.
    if (threadsBlockExit()) exitReporter.killAll();
  });
  exitReporter.watch();

  host.connection.onError(([error]) =>
    exitReporter.exitForError(error, `the wire is broken: ${error.message}`),
  );
  host.connection.onClose(async () => {
    process.off("SIGTERM", ignore);
    await Promise.race([host.finish(), setTimeout(FINISH_LIMIT)]);
    exitReporter.exit(0);
  });
  host.listen();
}

// Runs the host as a process: takes the wire from the standard streams, serves until its input closes, finishes the requests
// under way and exits. While its input is open, signals such as SIGTERM do not end it: Synapse decides when it ends.

import { setTimeout } from "node:timers/promises";
import { VERSION } from "../base/version.js";
import { catalogue } from "../catalogue/catalogue.js";
import { LIMITS } from "../catalogue/protocol.js";
import { openRecords } from "../logging/records.js";
import { HeldThreads, threadsBlockExit } from "../threads/held-threads.js";
import { makeLoopsInterruptible } from "../threads/interruptible.js";
import { threadMemory } from "../threads/thread-memory.js";
import { FrameReader, FrameWriter } from "../transport/framing.js";
import { takeWire, wireForTests } from "../transport/own-wire.js";
import { inAnotherProcess } from "./for-tests.js";
import { Host } from "./host.js";
import { monitorHost } from "./monitored-host.js";

// The input closes when Synapse stops, or has been killed. The host exits before the shim would kill it.
const FINISH_LIMIT = LIMITS.finish_ms - 500;
// SIGUSR1 would open Node's debugger to every user of the machine.
// SIGINT is not among them: with --trace-sigint it makes a blocked Node print its stack, which a listener would prevent.
const SIGNALS = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/**
 * `records` is the descriptor of the pipe for records, `entry` the file that threads run. With `clock`, the host serves the
 * authors' kit, and this file has its clock.
 */
export function serve(records: number, entry: URL, clock?: string): void {
  makeLoopsInterruptible();
  const wire = clock === undefined ? takeWire(records) : wireForTests(records);
  const out = openRecords(wire.records);
  const { host, exitReporter, log } = monitorHost(
    out,
    (log) =>
      new Host(new FrameReader(wire.input), new FrameWriter(wire.output), {
        catalogue: catalogue(),
        log,
        version: VERSION,
        ...(clock !== undefined && { forTests: inAnotherProcess(clock, log) }),
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
    log.warn(
      "a listener of SIGINT is not kept: with this signal the bridge finds out where a blocked Node is",
    );
    queueMicrotask(() => process.removeAllListeners("SIGINT"));
  });
  process.on("exit", () => {
    // Node would wait for its threads, and the shim does not wait for Node.
    if (threadsBlockExit()) exitReporter.killAll();
  });
  exitReporter.watch();

  host.connection.onError((error) =>
    exitReporter.exitForError(error, `the wire is broken: ${error.message}`),
  );
  host.connection.onClose(async () => {
    process.off("SIGTERM", ignore);
    await Promise.race([host.finish(FINISH_LIMIT), setTimeout(FINISH_LIMIT + LIMITS.close_ms + 100)]);
    exitReporter.exit(0);
  });
  host.listen();
}

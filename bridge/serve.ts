// The host as a process: takes the wire away from the standard streams, serves until its input closes, finishes what is
// under way and exits. While its input is open, only the shim's signals end it: Synapse decides when it goes.
import { setTimeout } from "node:timers/promises";
import { catalogue } from "./catalogue.js";
import { FrameReader, FrameWriter } from "./framing.js";
import { hiddenThrow } from "./hidden.js";
import { Host } from "./host.js";
import { openLog } from "./log.js";
import { VERSION } from "./version.js";
import { takeWire } from "./wire.js";

// The shim closes the input once nobody waits for an answer any more, or has been killed: then Node is gone within 2 s.
const FINISH_LIMIT = 1_500;
// SIGUSR1 would open Node's debugger to whoever is on this machine.
// SIGINT is the shim's: it makes a Node that is blocked say where (--trace-sigint), which a listener here would prevent.
const SIGNALS = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

export function serve(): void {
  const wire = takeWire();
  const log = openLog();
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  process.on("newListener", (event) => {
    if (event !== "SIGINT") return;
    log.logger.warn("a listener of SIGINT is not kept: the signal makes a Node that is blocked say where");
    queueMicrotask(() => process.removeAllListeners("SIGINT"));
  });

  let host: Host | undefined;
  const die = (error: unknown, what: string): never => {
    const module = culprit(host, error);
    const host_ends = module === undefined ? what : `${what}, in ${module}`;
    const err = mayTellSecrets(host, module) ? hiddenThrow(error) : error;
    log.logger.fatal({ err, module, host_ends }, what);
    log.flush();
    process.exit(1);
  };
  process.on("uncaughtException", (error, origin) => {
    die(
      error,
      origin === "unhandledRejection" ? "a rejected promise was not handled" : "an error was not caught",
    );
  });
  process.on("exit", () => log.flush());

  host = new Host(new FrameReader(wire.input), new FrameWriter(wire.output), {
    catalogue: catalogue(),
    log: log.logger,
    version: VERSION,
  });
  host.connection.onError(([error]) => die(error, `the wire is broken: ${error.message}`));
  host.connection.onClose(async () => {
    process.off("SIGTERM", ignore);
    await Promise.race([host?.finish(), setTimeout(FINISH_LIMIT)]);
    process.exit(0);
  });
  host.listen();
}

/** Whether this module, or any where it is not known which, is asked with passwords or tokens. */
function mayTellSecrets(host: Host | undefined, culprit: string | undefined): boolean {
  const { callbacks } = catalogue();
  return [...(host?.modules.values() ?? [])].some(
    ({ module }) =>
      (culprit === undefined || module.name === culprit) &&
      [...module.callbacks.keys()].some((name) => callbacks.get(name)?.secret),
  );
}

/** The module whose file the error's stack goes through. */
function culprit(host: Host | undefined, error: unknown): string | undefined {
  const stack = error instanceof Error ? String(error.stack) : "";
  for (const { module } of host?.modules.values() ?? []) if (stack.includes(module.file)) return module.name;
  return undefined;
}

#!/usr/bin/env node
// The entry of the host, of its threads, of the worker threads of modules, and of the commands. Each runs only its own part:
// what a host has run stays in its memory.
import { parseArgs } from "node:util";
import { workerData } from "node:worker_threads";
import { acceptTypeScriptWorkers, runModuleWorker } from "./loading/module-workers.js";
import { threadData } from "./threads/thread-data.js";

const entry = new URL(import.meta.url);
const [, , command, ...args] = process.argv;

acceptTypeScriptWorkers(entry);
const thread = threadData(workerData);
if (thread) (await import("./host/thread-host.js")).serveThread(thread);
else if (await runModuleWorker()) {
  // The file of the module is running.
} else if (command === "host") await host();
else await (await import("./command/command-line.js")).runCommand();

/**
 * What Synapse starts: speaks JSON-RPC on its standard input and output. `--records` is the number of the descriptor to which it
 * writes its records. `--for-tests` is what synapse-module-bridge/testing gives: the file with its clock.
 */
async function host(): Promise<void> {
  const { serve } = await import("./host/serve.js");
  const { records, "for-tests": forTests } = parseArgs({
    args,
    options: { records: { type: "string" }, "for-tests": { type: "string" } },
  }).values;
  try {
    serve(Number(records), entry, forTests);
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(
      records === undefined
        ? "Synapse starts this host for its modules. It is of no use by hand.\n" +
            "To try a module, use `synapse-module-bridge check` or `synapse-module-bridge call`.\n"
        : `the host cannot start: ${message}\n`,
    );
    process.exit(1);
  }
}

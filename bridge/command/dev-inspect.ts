// Runs first in the Node of `dev --inspect`, and lets a debugger attach. After a reload the port is taken until the Node before
// has ended, so it tries until it gets it.
import { open } from "node:inspector";
import { createServer } from "node:net";
import { isMainThread } from "node:worker_threads";

const HOST = "127.0.0.1";
const AGAIN_MS = 100;
const port = Number(process.env.SYNAPSE_MODULE_BRIDGE_INSPECT);

// Not what the host starts itself.
if (isMainThread && process.argv.includes("--records") && port > 0) tryToOpen();

function tryToOpen(): void {
  const probe = createServer();
  probe.once("error", () => setTimeout(tryToOpen, AGAIN_MS).unref());
  probe.listen({ port, host: HOST, exclusive: true }, () => probe.close(() => open(port, HOST)));
  probe.unref();
}

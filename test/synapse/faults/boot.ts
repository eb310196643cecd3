/** Boots a Synapse whose reactor is watched. */
import { shim } from "../../support/bridge.js";
import { Client } from "../../support/client.js";
import { type Homeserver, type HomeserverOptions, startHomeserver } from "../../support/homeserver.js";
import { pauses, pausesPath } from "../../support/pauses.js";

/** A Synapse whose reactor is watched, and whose metrics can be read unless it federates: that needs listeners of its own. */
export function boot(options: HomeserverOptions): Promise<Homeserver> {
  const resources = [{ names: ["client", "federation"] }, { names: ["metrics"] }];
  const listeners = [{ port: 0, type: "http", bind_addresses: ["127.0.0.1"], resources }];
  const extraConfig = {
    enable_metrics: true,
    ...(!options.federation && { listeners }),
    ...options.extraConfig,
  };
  const modules = [pauses(), ...(options.modules ?? [])];
  const pythonPath = [...(options.pythonPath ?? [shim]), pausesPath];
  return startHomeserver({ ...options, modules, extraConfig, pythonPath });
}

/** How long Synapse took for `/versions` while something went on, in milliseconds, slowest last. */
export async function pingDuring(server: Homeserver, during: Promise<unknown>): Promise<number[]> {
  const anyone = new Client(server.baseUrl);
  const times: number[] = [];
  let over = false;
  const done = during.finally(() => {
    over = true;
  });
  while (!over) {
    const began = performance.now();
    await anyone.get("/_matrix/client/versions");
    times.push(performance.now() - began);
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  return times.sort((a, b) => a - b);
}

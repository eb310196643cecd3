// `synapse-module-bridge synapse install`: fills the cache of installed Synapses.
import { installSynapse } from "../testing/synapse/installation.js";

export async function install(version?: string): Promise<void> {
  const { python } = await installSynapse(version);
  process.stdout.write(`${python}\n`);
}

// `synapse-module-bridge synapse install`: fills the cache of installed Synapses.
import { prepareSynapse } from "../testing/synapse/prepared.js";

export async function install(version?: string): Promise<void> {
  const { python } = await prepareSynapse(version);
  process.stdout.write(`${python}\n`);
}

/** The longest pause of a Synapse's reactor, as the module in reactor_pauses.py sees it. */
import { Client } from "./client.js";
import { harnessFile } from "./paths.js";

/** The folder of the module, for PYTHONPATH. */
export const pausesPath = harnessFile("");
export const pauses = (config: { readonly own_group?: boolean } = {}) => ({
  module: "reactor_pauses.Pauses",
  config,
});

/** In milliseconds, since it was last asked; undefined where Synapse does not answer. */
export async function longestPause(baseUrl: string): Promise<number | undefined> {
  const asked = new Client(baseUrl).get("/_synapse/client/reactor_pause");
  const longest = (await asked.catch(() => undefined))?.body?.longest_ms;
  return typeof longest === "number" ? longest : undefined;
}

// The bridge's metrics, as Synapse gives them to Prometheus.
import { Client } from "./client.js";
import type { Homeserver } from "./homeserver.js";

export type Labels = Readonly<Record<string, string>>;

/** The sum of all samples of a metric that have these labels. */
export async function metric(
  server: Pick<Homeserver, "baseUrl">,
  name: string,
  labels: Labels = {},
): Promise<number> {
  const { text } = await new Client(server.baseUrl).get("/_synapse/metrics");
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

export const calls = (server: Homeserver, labels: Labels) =>
  metric(server, "synapse_module_bridge_calls_total", labels);

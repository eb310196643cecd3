// Checks whether Synapse can mount a module's web resources at their paths.
import { isObject } from "../base/is-object.js";
import type { WebHandler } from "./module.js";

// Synapse serves these prefixes itself, with resources that have no children: requests never reach a path below them.
const TAKEN = [
  "/_matrix/client",
  "/_matrix/federation",
  "/_matrix/media/r0",
  "/_matrix/media/v1",
  "/_matrix/media/v3",
  "/_matrix/key",
  "/_synapse/admin",
];

export function readWebResources(value: unknown, report: (message: string) => void): Map<string, WebHandler> {
  const resources = new Map<string, WebHandler>();
  if (value === undefined) return resources;
  if (!isObject(value) || "then" in value) {
    report("web_resources must be an object, or a function of config that returns one at once");
    return resources;
  }
  for (const [path, handler] of Object.entries(value)) {
    const problem = problemWith(path);
    if (problem) report(`web_resources[${JSON.stringify(path)}] ${problem}`);
    if (typeof handler !== "function") report(`web_resources[${JSON.stringify(path)}] must be a function`);
    else resources.set(path, handler as WebHandler);
  }
  return resources;
}

function problemWith(path: string): string | undefined {
  if (!path.startsWith("/")) return "must begin with /";
  if (path.length > 1 && path.endsWith("/")) return "must not end with /";
  if (/[?#\s]/.test(path) || path.includes("//")) return "must be a plain path: no query, no empty part";
  const taken = TAKEN.find((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  if (taken)
    return `is never reached: Synapse serves all of ${taken} itself. Use /_synapse/client/<your name>/...`;
  return undefined;
}

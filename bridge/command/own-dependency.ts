// Tells by which words in a package.json npm installs the bridge that runs here.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isObject } from "../base/is-object.js";
import { VERSION } from "../base/version.js";

const NAME = "synapse-module-bridge";

/** `file:…` if this package comes from a file or is a clone, so that it works without a registry; else the version. */
export function ownDependency(root = fileURLToPath(new URL("../..", import.meta.url))): string {
  const folder = path.resolve(root);
  const packages = path.dirname(folder);
  if (path.basename(packages) !== "node_modules") return `file:${folder}`;
  const source = sourceOf(path.join(packages, ".package-lock.json"));
  // It is relative to the folder of node_modules.
  if (source?.startsWith("file:"))
    return `file:${path.resolve(packages, "..", source.slice("file:".length))}`;
  return `^${VERSION}`;
}

/** What npm has noted. Other package managers have no such file. */
function sourceOf(lockfile: string): string | undefined {
  try {
    const { packages } = JSON.parse(readFileSync(lockfile, "utf8"));
    const own = isObject(packages) ? packages[`node_modules/${NAME}`] : undefined;
    return isObject(own) && typeof own.resolved === "string" ? own.resolved : undefined;
  } catch {
    return undefined;
  }
}

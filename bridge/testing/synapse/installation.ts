// Gives a Python with Synapse from the cache, and fills the cache first where it has none of this version.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { endWithThisProcess } from "../../base/children.js";
import { ownFile, shimFolder } from "./own-files.js";
import { findPython, pythonEnvironment } from "./python.js";
import { constraintsFile, NEWEST_TESTED, pythonsFor, requirementsOf } from "./releases.js";

export interface Installation {
  readonly version: string;
  /** That of its folder in the cache. */
  readonly name: string;
  /** The path of the Python that has this Synapse. */
  readonly python: string;
}

// On a slow connection, pip takes minutes.
const PIP_SECONDS = 900;

/** The folder of all installations. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME: named = "" } = process.env;
  // By its specification, one that is not absolute does not count.
  const base = path.isAbsolute(named) ? named : path.join(homedir(), ".cache");
  return path.join(base, "synapse-module-bridge", "synapse");
}

/** The version to take: the one that is asked for, or that of the variable SYNAPSE_VERSION, or the newest tested one. */
export const chosenVersion = (asked?: string) => asked || process.env.SYNAPSE_VERSION || NEWEST_TESTED;

/**
 * Installs Synapse from PyPI, unless it is in the cache: with that Python, or else any that fits. Progress is shown on
 * standard error. Throws an Error that says what to do where there is no Python, or pip fails.
 */
export async function installSynapse(asked?: string, withPython?: string): Promise<Installation> {
  const version = chosenVersion(asked);
  const requirements = requirementsOf(version);
  const wanted = withPython === undefined ? undefined : await findPython(version, withPython);
  const cached = findCached(version, wanted?.release);
  if (cached) return { version, name: cached, python: pythonOf(cached) };
  const { executable, release } = wanted ?? (await findPython(version));
  const name = installationName(version, release);
  const folder = path.join(cacheFolder(), name);
  const constraints = constraintsOf(version, release);
  await runInstall(executable, { folder, requirements, constraints, seconds: PIP_SECONDS });
  return { version, name, python: pythonOf(name) };
}

/** The name of the folder in the cache. What pip is told is part of it: another release of this kit may tell something else. */
export function installationName(version: string, release: string): string {
  const constraints = constraintsOf(version, release);
  const told = [requirementsOf(version), constraints && readFileSync(constraints, "utf8")];
  const hash = createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 8);
  return `${version}-python${release}-${hash}`;
}

/** The exact versions were tried with the Pythons that they name. */
function constraintsOf(version: string, release: string): string | null {
  const pinned = version === NEWEST_TESTED && Number(release.split(".")[1]) <= 13;
  return pinned ? constraintsFile(shimFolder()) : null;
}

const pythonOf = (name: string) => path.join(cacheFolder(), name, "bin", "python");

/** The name of an installation whose Python is still there: it is a link to the one that made it. */
function findCached(version: string, wanted?: string): string | undefined {
  const cache = cacheFolder();
  const names = existsSync(cache) ? readdirSync(cache) : [];
  const fitting = wanted === undefined ? pythonsFor(version) : [wanted];
  return names.find((name) => {
    const [, of, release] = /^(.+)-python(\d+\.\d+)-\w+$/.exec(name) ?? [];
    if (of !== version || !release || !fitting.includes(release)) return false;
    return name === installationName(version, release) && existsSync(pythonOf(name));
  });
}

async function runInstall(python: string, order: object): Promise<void> {
  const child = spawn(python, [ownFile("install.py")], {
    stdio: ["pipe", 2, 2],
    env: pythonEnvironment(),
  });
  const forget = endWithThisProcess(child, () => undefined);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(JSON.stringify(order));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0)
      throw new Error(
        "Synapse could not be installed (see above). Once it was installed, it works without the network: " +
          "run `synapse-module-bridge synapse install` where there is one.",
      );
  } finally {
    forget();
  }
}

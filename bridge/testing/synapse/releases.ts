// Declares which Synapse the kit installs: the newest that this release was tested with, and what older ones need.
import path from "node:path";
import { isOlder, requireRelease } from "../../base/releases.js";

/** The Synapse that is taken where nobody asks for another. */
export const NEWEST_TESTED = "1.163.2";

/** The Pythons that the kit takes, best first: those for which Synapse and all that it needs have wheels. */
export const PYTHONS = ["3.11", "3.12", "3.13", "3.10", "3.14"] as const;

// Synapse names no upper bounds: it does not start with newer releases of these.
const bounds = [
  { before: "1.146.0", requirement: "prometheus-client<0.22" }, // a base class that cannot be inherited any more
  { before: "1.140.0", requirement: "setuptools<81" }, // pkg_resources has gone
] as const;

// It does not start with newer Pythons than these.
const newestPythons = [{ before: "1.110.0", minor: 12 }] as const;

/** The Pythons on which a Synapse runs, best first. */
export function pythonsFor(version: string): readonly string[] {
  const bound = newestPythons.find(({ before }) => isOlder(version, before));
  return PYTHONS.filter((release) => !bound || minorOf(release) <= bound.minor);
}

const minorOf = (python: string) => Number(python.split(".")[1]);

/** What pip has to install for a Synapse. Throws an Error for what is no version, or too old. */
export function requirementsOf(version: string): string[] {
  requireRelease(version);
  const needed = bounds.filter(({ before }) => isOlder(version, before));
  return [`matrix-synapse==${version}`, ...needed.map(({ requirement }) => requirement)];
}

/** The exact versions of all packages, for the newest Synapse: a release of this kit keeps working. */
export const constraintsFile = (shim: string) => path.join(shim, "constraints.txt");

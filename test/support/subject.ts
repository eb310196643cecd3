// Which Synapse the tests run on, with which shim: those of .venv, or those that `npm run test:matrix` has installed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isOlder } from "../../bridge/base/releases.js";
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { projectRoot, venvPython } from "./paths.js";

interface Subject {
  /** The Python that has this Synapse. */
  readonly python: string;
  /** Of Synapse. */
  readonly version: string;
  /** The folder of the installed wheel, for PYTHONPATH; absent where that Python has the shim. */
  readonly shim?: string;
}

const named = process.env.TESTED_SYNAPSE;

/** What TESTED_SYNAPSE says, as JSON. */
export const subject = (): Subject =>
  named ? JSON.parse(named) : { python: venvPython(), version: NEWEST_TESTED };

/** Whether it is older than the release that brought something. */
export const isLacking = (since: string) => named !== undefined && isOlder(subject().version, since);

const catalogue = readFileSync(join(projectRoot, "schemas/callbacks.json"), "utf8");
const { $schema: _, ...callbacks } = JSON.parse(catalogue) as Record<string, { readonly since: string }>;

/** The callbacks that it lacks, each with the release that brought it. */
export const lackingSince: ReadonlyMap<string, string> = new Map(
  Object.entries(callbacks).flatMap(([name, { since }]) => (isLacking(since) ? [[name, since]] : [])),
);
export const lacking: readonly string[] = [...lackingSince.keys()];

/** For `callbacks` of the bridge's configuration: it starts without them. */
export const optional = Object.fromEntries(lacking.map((callback) => [callback, { optional: true }]));

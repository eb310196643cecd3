// Looks into an installed Synapse: its own Python runs introspect.py, which tells what Synapse offers to modules.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installSynapse } from "../../bridge/testing/synapse/installation.js";
import { pythonEnvironment } from "../../bridge/testing/synapse/python.js";
import { venvPython } from "../../test/support/paths.js";

type Named<Value> = Readonly<Record<string, Value>>;

/** A way in which Synapse takes a callback, as its type hints tell. */
export interface Form {
  /** The types of the parameters in order; null if the hint names none. */
  readonly params: readonly string[] | null;
  readonly result: string;
}

/** A place where Synapse calls a callback. */
export interface Call {
  /** File and line, below Synapse's folder. */
  readonly at: string;
  /** What the arguments are called there; null for one without a name. */
  readonly in_order: readonly (string | null)[];
  /** The parameters that are given by their names; null for `**`. */
  readonly by_name: readonly (string | null)[];
}

export interface OfferedCallback {
  readonly forms: readonly Form[];
  readonly calls: readonly Call[];
  /** The first sentence of Synapse's documentation. */
  readonly told: string | null;
}

export interface OfferedMethod {
  readonly kind: "method";
  readonly params: Named<{
    readonly optional: boolean;
    readonly type: string;
    /** It stands for any number of arguments. */
    readonly many: boolean;
    /** It takes a function. */
    readonly function: boolean;
  }>;
  readonly result: string;
  readonly since: string | null;
  readonly told: string | null;
}

export interface OfferedProperty {
  readonly kind: "property";
  /** Null where Synapse has no hint. */
  readonly type: string | null;
  readonly since?: string | null;
  readonly told?: string | null;
}

/** What a Synapse offers to modules. */
export interface Offered {
  readonly version: string;
  /** By category, and in it by name. */
  readonly callbacks: Named<Named<OfferedCallback>>;
  readonly api: Named<OfferedMethod | OfferedProperty>;
  readonly codes: Named<string>;
}

// It takes three seconds, and many times that on a busy machine.
const LIMIT_MS = 120_000;
// An answer has 100 kB.
const LIMIT_BYTES = 16 * 1024 * 1024;

/** The Python with a Synapse of the cache, which is installed if it is not there; without a version, that of .venv. */
export async function pythonWith(version: string | undefined): Promise<string> {
  return version === undefined ? venvPython() : (await installSynapse(version)).python;
}

/** Throws an Error where this Python has no Synapse that can be imported. */
export async function lookInto(python: string): Promise<Offered> {
  const program = fileURLToPath(new URL("introspect.py", import.meta.url));
  const options = { timeout: LIMIT_MS, maxBuffer: LIMIT_BYTES, env: pythonEnvironment() };
  const { stdout } = await promisify(execFile)(python, ["-I", "-B", "-W", "ignore", program], options);
  const offered: Offered = JSON.parse(stdout);
  for (const part of ["callbacks", "api", "codes"] as const) {
    if (Object.keys(offered[part]).length === 0) throw new Error(`no ${part} were found in this Synapse`);
  }
  return offered;
}

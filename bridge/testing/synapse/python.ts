// Finds a Python that Synapse supports, or says what to install.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { NEWEST_TESTED, PYTHONS, pythonsFor } from "./releases.js";

const run = promisify(execFile);

export interface Python {
  readonly executable: string;
  /** Such as `3.11`. */
  readonly release: string;
}

interface Found extends Python {
  /** Whether it can make virtual environments. */
  readonly venv: boolean;
}

const probe = `
import sys
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
print("%d.%d" % sys.version_info[:2], sys.executable, int(has("venv") and has("ensurepip")), sep="\\n")
`;
// Far more than Python takes to start on a busy machine.
const LIMIT_MS = 20_000;

/** The environment for any Python of the kit: a Python that somebody else has set up must not lend it its packages. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONHOME: _, PYTHONPATH: __, NODE_OPTIONS: ___, ...rest } = process.env;
  return rest;
}

/**
 * The first Python that fits a Synapse: the one that is named, as by the variable PYTHON, or one on PATH. Throws with what
 * to do about it.
 */
export async function findPython(version = NEWEST_TESTED, named = process.env.PYTHON): Promise<Python> {
  const fitting = pythonsFor(version);
  const fits = ({ release }: Found) => fitting.includes(release);
  const names = named ? [named] : [...PYTHONS.map((release) => `python${release}`), "python3", "python"];
  const others: Found[] = [];
  for (const name of names) {
    const found = await look(name);
    if (found && fits(found) && found.venv) return found;
    if (found) others.push(found);
  }
  const synapse = fitting.length < PYTHONS.length ? `Synapse ${version}` : "Synapse";
  throw new Error(advice({ synapse, fitting, found: others, lacking: others.find(fits), named }));
}

/** What a command is; undefined where there is no such Python. */
async function look(command: string): Promise<Found | undefined> {
  try {
    const options = { timeout: LIMIT_MS, env: pythonEnvironment() };
    const { stdout } = await run(command, ["-c", probe], options);
    const [release, executable, venv] = stdout.trim().split("\n");
    return release && executable ? { release, executable, venv: venv === "1" } : undefined;
  } catch {
    return undefined;
  }
}

interface Search {
  readonly synapse: string;
  readonly fitting: readonly string[];
  readonly found: readonly Found[];
  /** It fits, but cannot make virtual environments. */
  readonly lacking: Found | undefined;
  readonly named: string | undefined;
}

function advice({ synapse, fitting, found, lacking, named }: Search): string {
  if (lacking)
    return (
      `Python ${lacking.release} (${lacking.executable}) cannot make a virtual environment: its venv or ensurepip is missing. ` +
      `On Debian and Ubuntu: apt install python${lacking.release}-venv`
    );
  const seen = [...new Set(found.map(({ release, executable }) => `${release} (${executable})`))].join(", ");
  const what = seen ? `only ${seen} was found` : "no Python was found";
  const [first] = fitting;
  const where = named ? ` (the variable PYTHON says ${named})` : " on PATH";
  return (
    `${synapse} needs a Python of ${[...fitting].sort(byNumber).join(", ")}, and ${what}${where}. Install ${first}: ` +
    `apt install python3 python3-venv (Debian, Ubuntu), dnf install python${first} (Fedora), ` +
    `brew install python@${first} (macOS), or uv python install ${first}; ` +
    "or set the variable PYTHON to the path of one."
  );
}

const byNumber = (a: string, b: string) => Number(a.split(".")[1]) - Number(b.split(".")[1]);

// Finds a Python that can make virtual environments, or says what to install.
import { spawnSync } from "node:child_process";
import { StepFailed } from "./run.mjs";

// The names are tried in order. PYTHON comes first, for who wants another one.
const names = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

const probe = `
import sys
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
print(sys.version.split()[0], sys.executable, int(has("venv") and has("ensurepip")), sep="\\n")
`;

/** What a command is, or undefined where there is no such Python. */
function look(command) {
  const { status, stdout } = spawnSync(command, ["-c", probe], { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) return undefined;
  const [version, executable, venv] = stdout.trim().split("\n");
  const [major, minor] = version.split(".").map(Number);
  return { command, version, executable, major, minor, venv: venv === "1" };
}

const recentEnough = ({ major, minor }) => major === 3 && minor >= 10;

/** Whether an environment's interpreter runs and is recent enough. */
export function venvWorks(python) {
  const found = look(python);
  return found !== undefined && recentEnough(found);
}

/** The first Python of at least 3.10 that can make an environment; throws StepFailed with what to do about it. */
export function findPython() {
  const found = [process.env.PYTHON, ...names].flatMap((name) => (name ? (look(name) ?? []) : []));
  const fit = found.filter(recentEnough);
  const usable = fit.find(({ venv }) => venv);
  if (usable) return usable;
  const [lacking] = fit;
  if (lacking) {
    throw new StepFailed(
      `Python ${lacking.version} (${lacking.executable}) cannot make a virtual environment: its venv or ensurepip is missing.\n` +
        `On Debian and Ubuntu: apt install python3.${lacking.minor}-venv\nThen run this again.`,
    );
  }
  const others = found.map(({ version, executable }) => `${version} (${executable})`).join(", ");
  throw new StepFailed(
    `Python 3.10 or newer is needed, and ${others ? `only ${others} was found` : "no Python was found"}.\n` +
      "On Debian and Ubuntu: apt install python3 python3-venv\nAnother one can be named: PYTHON=/path/to/python3 npm run setup",
  );
}

/** Python environments of their own, for the compatibility tests. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot, venvPython } from "../support/paths.js";

const execute = promisify(execFile);

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export async function output(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<Output> {
  try {
    return { code: 0, ...(await execute(command, args, { timeout: 60_000, ...options })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Output;
    if (typeof code !== "number") throw error;
    return { code, stdout, stderr };
  }
}

export const constraints = join(projectRoot, "python-shim/constraints.txt");

/** Makes an empty environment in a folder and installs into it; gives its bin folder. */
export async function makeEnvironment(folder: string, install: readonly string[]): Promise<string> {
  const bin = join(folder, "bin");
  await execute(venvPython(), ["-m", "venv", folder]);
  await execute(join(bin, "python"), [
    ...["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--prefer-binary"],
    ...install,
  ]);
  return bin;
}

/** Builds wheels and source archives of a python-shim folder; gives their paths. */
export async function buildPackages(
  source: string,
  into: string,
  targets: readonly string[],
): Promise<string[]> {
  const chosen = targets.flatMap((target) => ["-t", target]);
  await execute(venvPython(), ["-m", "hatchling", "build", "-d", into, ...chosen], { cwd: source });
  return readdirSync(into).map((name) => join(into, name));
}

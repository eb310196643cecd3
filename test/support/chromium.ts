// Finds a Chromium for the tests of the admin's page. In CI, it installs Debian's, which then stays on the machine.
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const execute = promisify(execFile);
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const isRoot = process.getuid?.() === 0;

/** The path of a Chromium, or why there is none. */
export async function findChromium(): Promise<{ readonly path: string } | { readonly problem: string }> {
  const path = process.env.CHROMIUM ?? onPath(NAMES);
  if (path) return { path };
  const remedy = "install it (Debian: `apt-get install chromium`), or name its path in CHROMIUM";
  if (!process.env.CI || !isRoot || !onPath(["apt-get"]))
    return { problem: `there is no Chromium: ${remedy}` };
  try {
    await install();
  } catch (error) {
    return { problem: `apt-get cannot install Chromium (${(error as Error).message.trim()}): ${remedy}` };
  }
  const installed = onPath(NAMES);
  return installed ? { path: installed } : { problem: `there is no Chromium: ${remedy}` };
}

/** A browser that asks nothing of the internet by itself. */
export function startChromium(path: string): Promise<Browser> {
  const quiet = ["background-networking", "component-update", "sync", "quic", "gpu"];
  return chromium.launch({
    executablePath: path,
    chromiumSandbox: !isRoot, // root cannot have it
    args: ["--no-first-run", ...quiet.map((name) => `--disable-${name}`)],
  });
}

async function install(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await execute("apt-get", [...wait, "-qq", "update"], { env });
  // Fonts, since a page is measured, too.
  const packages = ["chromium", "fonts-liberation"];
  await execute("apt-get", [...wait, "-qq", "install", "--yes", "--no-install-recommends", ...packages], {
    env,
  });
}

function onPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

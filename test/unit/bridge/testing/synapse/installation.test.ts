// How the cache is filled: once, by one process at a time, whole or not at all. A small package stands in for Synapse.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  cacheFolder,
  installationName,
  installSynapse,
} from "../../../../../bridge/testing/synapse/installation.js";
import { ownFile } from "../../../../../bridge/testing/synapse/own-files.js";
import { NEWEST_TESTED } from "../../../../../bridge/testing/synapse/releases.js";
import { waitFor } from "../../../../../bridge/testing/synapse/wait.js";
import { venvPython } from "../../../../support/paths.js";
import { childrenOf, isAlive } from "../../../../support/processes.js";
import { type Folder, temporaryFolder } from "../../../../support/temporary-folder.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

interface Install {
  readonly child: ChildProcess;
  printed(): string;
  readonly ended: Promise<number | null>;
}

/** Installs a source that takes as long to build as its file `slow` exists. */
function install(requirements = [folder.path("source")]): Install {
  const child = spawn(venvPython(), [ownFile("install.py")], { stdio: ["pipe", "ignore", "pipe"] });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  const order = { folder: folder.path("cache/1.0"), requirements, constraints: null, seconds: 60 };
  child.stdin.end(JSON.stringify(order));
  return {
    child,
    printed: () => printed,
    ended: new Promise((resolve) => child.once("close", resolve)),
  };
}

/** A package that pip builds by a program of our own, without the network. */
function writeSource(): void {
  folder.write(
    "source/pyproject.toml",
    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
  );
  folder.write(
    "source/backend.py",
    `import os, time, zipfile
def build_wheel(where, *_):
    while os.path.exists(${JSON.stringify(folder.path("slow"))}):
        time.sleep(0.05)
    with zipfile.ZipFile(where + "/little-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("little.py", "")
        info = "little-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: little\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nlittle = little:main\\n")
        wheel.writestr(info + "RECORD", "")
    return "little-1.0-py3-none-any.whl"
`,
  );
}

const names = () => readdirSync(folder.path("cache")).sort();

test("two processes that ask at once get one installation, and its Python works where it is", async () => {
  writeSource();
  folder.write("slow", "");
  const first = install();
  await waitFor("the first to begin", () => /takes about a minute/.test(first.printed()));
  const second = install();
  await waitFor("the second to wait", () => /another process installs it: waiting/.test(second.printed()));
  expect(existsSync(folder.path("cache/1.0"))).toBe(false);
  rmSync(folder.path("slow"));
  expect([await first.ended, await second.ended]).toEqual([0, 0]);
  expect(first.printed()).toMatch(/installed in \d+ s/);
  expect(second.printed()).not.toContain("installed in");
  expect(names()).toEqual(["1.0", "1.0.lock"]);
  const python = spawn(folder.path("cache/1.0/bin/python"), ["-c", "import little"]);
  expect(await new Promise((resolve) => python.once("close", resolve))).toBe(0);
  // It would start the Python of the temporary folder.
  expect(existsSync(folder.path("cache/1.0/bin/little"))).toBe(false);
}, 90_000);

test("one that is killed leaves no process, and the next one begins anew", async () => {
  writeSource();
  folder.write("slow", "");
  const first = install();
  const pip = await waitFor("pip", () => childrenOf(first.child.pid ?? 0)[0], 30_000);
  first.child.kill("SIGKILL");
  await waitFor("pip to be gone", () => !isAlive(pip));
  rmSync(folder.path("slow"));
  const second = install();
  expect(await second.ended).toBe(0);
  expect(names()).toEqual(["1.0", "1.0.lock"]);
}, 90_000);

test("an installation whose Python has gone is made again", async () => {
  writeSource();
  mkdirSync(folder.path("cache/1.0/bin"), { recursive: true });
  symlinkSync(folder.path("removed"), folder.path("cache/1.0/bin/python"));
  const { printed, ended } = install();
  expect([await ended, printed()]).toEqual([0, expect.stringMatching(/the Python of .* has gone/)]);
  expect(existsSync(folder.path("cache/1.0/bin/python"))).toBe(true);
}, 90_000);

test("where the cache cannot be written, the way out is told", async () => {
  folder.write("cache", "");
  const { printed, ended } = install();
  expect(await ended).toBe(1);
  expect(printed()).toMatch(/cache.* must be writable.* XDG_CACHE_HOME names another\n$/);
  expect(printed()).not.toContain("Traceback");
});

test("a folder for the cache that is not absolute does not count", () => {
  const { XDG_CACHE_HOME: before } = process.env;
  try {
    process.env.XDG_CACHE_HOME = "cache";
    expect(cacheFolder()).toBe(join(homedir(), ".cache/synapse-module-bridge/synapse"));
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

test("where pip fails, its last lines are shown, and nothing is left", async () => {
  const { printed, ended } = install([folder.path("missing-source")]);
  expect(await ended).toBe(1);
  expect(printed()).toMatch(/pip failed:\n.*missing-source/s);
  expect(names()).toEqual(["1.0.lock"]);
}, 90_000);

test("with a Python that is named, an installation of another one does not count", async () => {
  const before = { ...process.env };
  try {
    process.env.XDG_CACHE_HOME = folder.root;
    const pythons = ["3.11", "3.12"].map((release) => {
      folder.write(`synapse-module-bridge/synapse/${installationName("1.150.0", release)}/bin/python`, "");
      const python = folder.write(`python${release}`, `#!/bin/sh\necho ${release}; echo "$0"; echo 1\n`);
      chmodSync(python, 0o755);
      return python;
    });
    const found = await Promise.all(pythons.map((python) => installSynapse("1.150.0", python)));
    expect(found.map(({ name }) => name.slice(0, 18))).toEqual(["1.150.0-python3.11", "1.150.0-python3.12"]);
  } finally {
    process.env = before;
  }
});

test("what is in the cache needs no Python on PATH and no network", async () => {
  const before = { ...process.env };
  try {
    process.env.XDG_CACHE_HOME = folder.root;
    process.env.PATH = "/nowhere";
    delete process.env.PYTHON;
    delete process.env.SYNAPSE_VERSION;
    const name = installationName(NEWEST_TESTED, "3.12");
    const bin = `synapse-module-bridge/synapse/${name}/bin`;
    mkdirSync(folder.path(bin), { recursive: true });
    folder.write(`${bin}/python`, "");
    expect(await installSynapse()).toEqual({
      version: NEWEST_TESTED,
      name,
      python: folder.path(`${bin}/python`),
    });
    // Of a kit that has told pip something else.
    const cache = folder.path("synapse-module-bridge/synapse");
    renameSync(join(cache, name), join(cache, `${NEWEST_TESTED}-python3.12-00000000`));
    await expect(installSynapse()).rejects.toThrow("Synapse needs a Python");
    renameSync(join(cache, `${NEWEST_TESTED}-python3.12-00000000`), join(cache, name));
    process.env.SYNAPSE_VERSION = "1.150.0";
    await expect(installSynapse()).rejects.toThrow("Synapse needs a Python");
    expect(await installSynapse(NEWEST_TESTED)).toMatchObject({ version: NEWEST_TESTED });
  } finally {
    process.env = before;
  }
});

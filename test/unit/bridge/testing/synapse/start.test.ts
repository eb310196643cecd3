// What is left where servers do not start, and what the kit does around them. A program stands in for the Python of Synapse.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeCertificates } from "../../../../../bridge/testing/synapse/certificates.js";
import { holdPort } from "../../../../../bridge/testing/synapse/held-port.js";
import { installationName } from "../../../../../bridge/testing/synapse/installation.js";
import { prepareSynapse } from "../../../../../bridge/testing/synapse/prepared.js";
import { Records } from "../../../../../bridge/testing/synapse/records.js";
import { NEWEST_TESTED } from "../../../../../bridge/testing/synapse/releases.js";
import { type Running, Server } from "../../../../../bridge/testing/synapse/server.js";
import { boot, startSynapse } from "../../../../../bridge/testing/synapse/start.js";
import { startProcess } from "../../../../../bridge/testing/synapse/synapse-process.js";
import { venvPython } from "../../../../support/paths.js";
import { type Folder, temporaryFolder } from "../../../../support/temporary-folder.js";

let folder: Folder;
const before = { ...process.env };
beforeEach(() => {
  folder = temporaryFolder();
  process.env.XDG_CACHE_HOME = folder.path("cache");
  delete process.env.SYNAPSE_VERSION;
});
afterEach(() => {
  process.env = { ...before };
  folder.remove();
});

const name = installationName(NEWEST_TESTED, "3.11");
const cached = (file: string) => `cache/synapse-module-bridge/synapse/${name}${file}`;

/** Puts a program into the cache in place of Python. */
function python(script: string): string {
  const file = folder.write(cached("/bin/python"), `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** The temporary folders of this process that are still there. */
const leftBehind = () =>
  readdirSync(tmpdir())
    .filter((one) => one.startsWith("synapse-under-test-"))
    .filter((one) => {
      const owner = join(tmpdir(), one, "owner.json");
      return existsSync(owner) && JSON.parse(readFileSync(owner, "utf8")).pid === process.pid;
    });

test("of a pair, the error of the one that failed first is thrown, and the other one has its certificates until then", async () => {
  folder.write(cached(".db"), "");
  python(`
case "$1" in *certificate.py) exec ${venvPython()} "$@" ;; esac
if ! grep -q ModuleBridge homeserver.yaml; then pwd > ${folder.path("failed")}; exit 3; fi
for i in $(seq 200); do
  [ -s ${folder.path("failed")} ] && [ ! -e "$(cat ${folder.path("failed")})" ] && break
  sleep 0.05
done
[ -s "$SSL_CERT_FILE" ] && echo it is there > ${folder.path("seen")}
exit 4`);
  await expect(startSynapse({ servers: 2, modules: [{ path: "policy.ts" }] })).rejects.toThrow("exit code 3");
  expect(readFileSync(folder.path("seen"), "utf8")).toBe("it is there\n");
  expect(leftBehind()).toEqual([]);
});

test("a misspelt option is refused, with the one that was meant", async () => {
  const wrong = { module: [{ path: "policy.ts" }] };
  await expect(startSynapse(wrong as object)).rejects.toThrow(
    "startSynapse: there is no key module (did you mean modules?)",
  );
});

test("a server that fails before Synapse is launched lets go of its port", async () => {
  const heldPort = await holdPort();
  const gone = { path: folder.path("gone/deep"), remove: () => {} };
  const installation = { version: NEWEST_TESTED, name, python: venvPython() };
  const booting = boot({
    ...{ options: {}, installation, folder: gone, modules: [], allowed: [], clientPort: heldPort },
  });
  await expect(booting).rejects.toThrow("ENOENT");
  const again = await holdPort(heldPort.port);
  again.release();
});

test("where there is no such Python, the start rejects with that, and cleans up", async () => {
  let cleanedUp = 0;
  const starting = startProcess({
    ...{ python: folder.path("no-python"), app: "homeserver", dir: folder.root, configPaths: [] },
    ...{ logPath: folder.path("log"), cleanUp: () => cleanedUp++ },
  });
  await expect(starting).rejects.toThrow("ENOENT");
  expect(cleanedUp).toBe(1);
});

test("where no certificate can be made, no folder is left", () => {
  expect(() => makeCertificates(python("exit 1"))).toThrow("Command failed");
  expect(leftBehind()).toEqual([]);
});

test("where no database can be prepared, servers start without one", async () => {
  python("exit 5");
  const prepared = await prepareSynapse();
  expect(prepared).toEqual({ version: NEWEST_TESTED, name, python: folder.path(cached("/bin/python")) });
  expect(readdirSync(folder.path("cache/synapse-module-bridge/synapse"))).toEqual([name]);
});

test("a process that prepares the database is left alone, and one that has died is not waited for", async () => {
  python(`touch ${folder.path("asked")}; exit 5`);
  const sleeper = spawn("sleep", ["60"]);
  const mark = `${cached(".db")}.new-${sleeper.pid}`;
  try {
    folder.write(mark, "");
    await prepareSynapse();
    expect([existsSync(folder.path("asked")), existsSync(folder.path(mark))]).toEqual([false, true]);
  } finally {
    sleeper.kill("SIGKILL");
    await new Promise((resolve) => sleeper.once("exit", resolve));
  }
  await prepareSynapse();
  expect([existsSync(folder.path("asked")), existsSync(folder.path(mark))]).toEqual([true, false]);
});

/** A server whose process has the id `pid`. */
function serverOf(pid: number, hasBridge: boolean, exited: Promise<number | null>): Server {
  const process = { baseUrl: "", logPath: "", pid, startedInMs: 0, exited };
  const text = { stdout: () => "", stderr: () => "", log: () => "the last line", stop: async () => {} };
  const running: Running = {
    ...{ process: { ...process, ...text }, serverName: "x", sharedSecret: "", version: "1.0.0" },
    ...{ dir: folder.root, records: new Records(folder.path("records")), hasBridge },
  };
  return new Server(running);
}

test.each([
  [
    "after the end of Synapse",
    true,
    Promise.resolve(1),
    /Synapse has ended with exit code 1.*the last line/s,
  ],
  ["of a Synapse without modules", false, new Promise<never>(() => {}), "has no modules of the bridge"],
] as const)("a reload %s is refused, and signals nobody", async (_, hasBridge, exited, reason) => {
  const stranger = spawn("sleep", ["60"]);
  const ended = new Promise((resolve) => stranger.once("exit", (_, signal) => resolve(signal)));
  const server = serverOf(stranger.pid ?? 0, hasBridge, exited);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(server.reload()).rejects.toThrow(reason);
  stranger.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
});

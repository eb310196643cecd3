// Starts a Synapse that daemonises itself, as `synctl start` does, and ends it again by the id in its pid file.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithThisProcess } from "../../bridge/base/children.js";
import { type ModuleEntry, writeConfig } from "../../bridge/testing/synapse/homeserver-yaml.js";
import { placeDatabase } from "../../bridge/testing/synapse/prepared.js";
import { environment } from "../../bridge/testing/synapse/synapse-process.js";
import { waitFor } from "../../bridge/testing/synapse/wait.js";
import { venvPython } from "./paths.js";
import { preparedVenv } from "./prepared-venv.js";
import { isAlive } from "./processes.js";

interface Launch {
  /** What the process that was started has printed. */
  readonly stderr: string;
  /** Of the daemon that it left behind. */
  readonly pid: number;
}

export interface Daemon {
  readonly dir: string;
  readonly sharedSecret: string;
  /** Starts it (again), and waits for the process that was started to give control back. */
  launch(): Promise<Launch>;
  /** Waits until it serves, and gives its address. */
  up(): Promise<string>;
  log(): string;
  /** Ends all that was launched and removes the folder. */
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly modules: readonly ModuleEntry[];
  readonly pythonPath?: readonly string[];
  /** Default: any. */
  readonly port?: number;
}

export function prepareDaemon(options: DaemonOptions): Daemon {
  const dir = mkdtempSync(join(tmpdir(), "bridge-daemon-"));
  const sharedSecret = "registration";
  const { modules } = options;
  const { configPath, logPath } = writeConfig({
    ...{ dir, modules, sharedSecret, serverName: "test.localhost" },
    extraConfig: { daemonize: true, listeners: [listener(options.port ?? 0)] },
  });
  const pidFile = join(dir, "homeserver.pid");
  const log = () => (existsSync(logPath) ? readFileSync(logPath, "utf8") : "");
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  const launched: number[] = [];
  const end = (signal: NodeJS.Signals) => {
    for (const pid of launched) if (isAlive(pid)) process.kill(pid, signal);
  };
  const forget = endWithThisProcess({ kill: end }, remove);

  /** The daemon writes it a little after control was given back. */
  const newPid = () => {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    return pid === 0 || launched.includes(pid) ? undefined : pid;
  };
  const launch = async (): Promise<Launch> => {
    placeDatabase(await preparedVenv(), dir);
    const child = execFile(venvPython(), ["-m", "synapse.app.homeserver", "-c", configPath], {
      cwd: dir,
      env: environment(options),
    });
    let stderr = "";
    child.stderr?.on("data", (chunk: string) => {
      stderr += chunk;
    });
    const exitCode = await new Promise<number>((resolve) => child.once("close", resolve));
    if (exitCode !== 0) throw new Error(`Synapse ended with exit code ${exitCode}:\n${stderr}`);
    const pid = await waitFor("the daemon's id", newPid);
    launched.push(pid);
    return { stderr, pid };
  };
  return {
    ...{ dir, sharedSecret, launch, log },
    up: () => waitFor("the daemon's /health", () => answering(log()), 30_000),
    stop: async () => {
      end("SIGTERM");
      const ended = () => !launched.some(isAlive);
      await waitFor("the daemon to end", ended).catch(() => end("SIGKILL"));
      forget();
      remove();
    },
  };
}

const listener = (port: number) => ({
  port,
  type: "http",
  bind_addresses: ["127.0.0.1"],
  resources: [{ names: ["client", "federation"] }],
});

/** The address of the client listener, once it is there and /health says OK. */
async function answering(log: string): Promise<string | undefined> {
  const port = /now listening on TCP port (\d+)\s/.exec(log)?.[1];
  if (port === undefined) return undefined;
  const baseUrl = `http://127.0.0.1:${port}`;
  const response = await fetch(`${baseUrl}/health`).catch(() => undefined);
  return response?.ok ? baseUrl : undefined;
}

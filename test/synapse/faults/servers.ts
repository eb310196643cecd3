/** Boots a Synapse with the bridge of this tree, and looks at its host process, its metrics and its log. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../support/client.js";
import { type Homeserver, type HomeserverOptions, startHomeserver } from "../../support/homeserver.js";
import { projectRoot } from "../../support/paths.js";
import { pauses, pausesPath } from "../../support/pauses.js";
import { waitFor } from "../../support/wait.js";

export const modulePath = (name: string) => join(projectRoot, "test/synapse/faults/modules", name);
/** The bridge under test is this tree's, whichever is installed. */
export const shim = join(projectRoot, "python-shim");

export const bridge = (config: Readonly<Record<string, unknown>>) => ({
  module: "synapse_module_bridge.ModuleBridge",
  config,
});

export interface Scratch {
  readonly dir: string;
  readonly path: (name: string) => string;
  remove(): void;
}

export function scratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), "bridge-faults-"));
  return {
    dir,
    path: (name) => join(dir, name),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A Synapse whose reactor is watched, and whose metrics can be read unless it federates: that needs listeners of its own. */
export function boot(options: HomeserverOptions): Promise<Homeserver> {
  const resources = [{ names: ["client", "federation"] }, { names: ["metrics"] }];
  const listeners = [{ port: 0, type: "http", bind_addresses: ["127.0.0.1"], resources }];
  const extraConfig = {
    enable_metrics: true,
    ...(!options.federation && { listeners }),
    ...options.extraConfig,
  };
  const modules = [pauses(), ...(options.modules ?? [])];
  const pythonPath = [...(options.pythonPath ?? [shim]), pausesPath];
  return startHomeserver({ ...options, modules, extraConfig, pythonPath });
}

/** A `node` that waits while `down` exists, which keeps an outage as long as a test wants it. */
export function interruptibleNode({ path }: Scratch): { readonly node: string; readonly down: string } {
  const [node, down] = [path("node"), path("down")];
  const script = `#!/bin/sh\nwhile [ -e ${down} ]; do /bin/sleep 0.05; done\nexec ${process.execPath} "$@"\n`;
  writeFileSync(node, script, { mode: 0o755 });
  return { node, down };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return [{ pid: Number(name), parent: Number(parent), state }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** A zombie without other threads is gone: only its parent has not looked yet. */
export const isGone = (pid: number) => {
  const found = processes().find((process) => process.pid === pid);
  if (found === undefined) return true;
  try {
    return found.state === "Z" && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true; // it has ended meanwhile
  }
};

/** The host processes of a Synapse, oldest first. */
export const hosts = (synapse: number) =>
  processes()
    .filter(({ parent, state }) => parent === synapse && state !== "Z")
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);

export function host(synapse: number): number {
  const [pid, ...others] = hosts(synapse);
  if (pid === undefined || others.length > 0) throw new Error(`not one host but ${hosts(synapse).length}`);
  return pid;
}

/** Waits for a host process other than this one, and gives its pid. */
export const nextHost = (synapse: number, before: number, timeoutMs = 10_000) =>
  waitFor("the next host", () => hosts(synapse).find((pid) => pid !== before), timeoutMs);

export type Labels = Readonly<Record<string, string>>;

/** The sum of all samples of a metric that have these labels. */
export async function metric(
  server: Pick<Homeserver, "baseUrl">,
  name: string,
  labels: Labels = {},
): Promise<number> {
  const { text } = await new Client(server.baseUrl).get("/_synapse/metrics");
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

export const calls = (server: Homeserver, labels: Labels) =>
  metric(server, "synapse_module_bridge_calls_total", labels);

/** The lines of the log that hold this. */
export const logged = ({ log }: Pick<Homeserver, "log">, text: string) =>
  log()
    .split("\n")
    .filter((line) => line.includes(text));

/** What Synapse says of log contexts that were not handled as it wants. */
export const contextWarnings = ({ log }: Pick<Homeserver, "log">) =>
  log().match(/^.*(?:logging context|log ?context|Looping call died).*$/gim) ?? [];

/** Of those warnings each once, without what differs between two: what they are about. */
export const contextWarningKinds = (of: Pick<Homeserver, "log">) =>
  new Set(contextWarnings(of).map((line) => line.replace(/^.*? (\w+ [\w.]+) \[.*?\] (\D*).*$/, "$1 $2")));

/** Unhandled errors: tracebacks that no test has asked for. */
export const tracebacks = ({ log }: Pick<Homeserver, "log">) => log().match(/^Traceback .*$/gm) ?? [];

export const lines = (path: string) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];

/** A message that orders the module `behave` about. */
export const order = (
  act: string,
  more: { readonly callback?: string; readonly body?: string; readonly [key: string]: unknown } = {},
) => {
  const { callback = "check_event_allowed", body = act, ...rest } = more;
  return { msgtype: "m.text", body, order: { callback, act, ...rest } };
};

/** How long Synapse took for `/versions` while something went on, in milliseconds, slowest last. */
export async function pingDuring(server: Homeserver, during: Promise<unknown>): Promise<number[]> {
  const anyone = new Client(server.baseUrl);
  const times: number[] = [];
  let over = false;
  const done = during.finally(() => {
    over = true;
  });
  while (!over) {
    const began = performance.now();
    await anyone.get("/_matrix/client/versions");
    times.push(performance.now() - began);
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  return times.sort((a, b) => a - b);
}

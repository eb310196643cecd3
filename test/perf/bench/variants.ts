// What is compared: a Synapse without any module, with the policy in Python, over HTTP, through the bridge, and through
// the least that a bridge can be.
import { join } from "node:path";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser, succeeded } from "../../support/client.js";
import { type Homeserver, type HomeserverOptions, startHomeserver } from "../../support/homeserver.js";
import { installPackages } from "../../support/packages.js";
import { projectRoot } from "../../support/paths.js";
import { type Program, startProgram } from "../../support/program.js";

const folder = join(projectRoot, "test/perf/bench");

/** `bridge5` and `bridge20` have so many modules in a row. */
export type VariantName =
  | "none"
  | "python"
  | "http"
  | "bare"
  | "bridge"
  | "filtered"
  | "bridge5"
  | "bridge20";

export interface Variant {
  readonly name: VariantName;
  readonly server: Homeserver;
  readonly user: Client;
  readonly room: string;
}

export interface Variants {
  readonly all: readonly Variant[];
  of(name: VariantName): Variant;
  stop(): Promise<void>;
}

const pythonPath = [shim, folder];
const driver = { module: "bench_driver.BenchDriver", config: {} };

function bridgeWith(file: string, modules = 1) {
  const named = (_: unknown, index: number) => ({ path: join(folder, file), name: `policy-${index + 1}` });
  return bridge({ modules: Array.from({ length: modules }, named) });
}

/** A Synapse of the benchmark, with a module or without. */
export function startWith(
  module: ModuleEntry | undefined,
  options: HomeserverOptions = {},
): Promise<Homeserver> {
  return startHomeserver({
    modules: [driver, ...(module ? [module] : [])],
    pythonPath,
    serverName: "test.localhost",
    logLevels: { "synapse_module_bridge.decision": "INFO" }, // as an admin runs it
    ...options,
  });
}

/** What is compared where HTTP is too slow to be waited for. */
export const MODULES = {
  none: undefined,
  python: { module: "bench_driver.Policy", config: {} },
  bare: { module: "bare_bridge.BareBridge", config: {} },
  bridge: bridgeWith("policy.ts"),
} satisfies Partial<Record<VariantName, ModuleEntry | undefined>>;

/** Boots all of them; who fails to start takes the others down. */
export async function startVariants(): Promise<Variants> {
  const packages = await installPackages(join(folder, "packages.txt"));
  const { server: http, port } = await startHttpServer();
  const modules: Record<VariantName, ModuleEntry | undefined> = {
    ...MODULES,
    http: {
      module: "synapse_http_antispam.HTTPAntispam",
      config: {
        base_url: `http://127.0.0.1:${port}`,
        authorization: "bench",
        enabled_callbacks: ["check_event_for_spam"],
      },
    },
    filtered: bridgeWith("filtered.ts"),
    bridge5: bridgeWith("policy.ts", 5),
    bridge20: bridgeWith("policy.ts", 20),
  };
  const all: Variant[] = [];
  const servers: { stop(): Promise<void> }[] = [http];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (const [name, module] of Object.entries(modules)) {
      const server = await startWith(module, { pythonPath: [...pythonPath, packages] });
      servers.push(server);
      const user = await registerUser(server, "bench");
      const { room_id: room } = succeeded("a room", await user.createRoom({ preset: "private_chat" }));
      all.push({ name: name as VariantName, server, user, room });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const of = (name: VariantName) => all.find((variant) => variant.name === name) as Variant;
  return { all, of, stop };
}

async function startHttpServer(): Promise<{ server: Program; port: number }> {
  const server = startProgram({
    command: process.execPath,
    args: [join(folder, "http-server.mjs")],
    cwd: folder,
  });
  const port = await waitFor("the HTTP server's port", () => /^\d+(?=\n)/.exec(server.stdout())?.[0]);
  return { server, port: Number(port) };
}

/** The two Synapses of the soak: one with the bridge and the policy in TypeScript, one with the same policy in Python. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { projectRoot } from "../../support/paths.js";
import { pauses, pausesPath } from "../../support/pauses.js";

export interface Servers {
  readonly bridge: Homeserver;
  readonly twin: Homeserver;
  /** Changes the policy's file, and nothing that it does. */
  changePolicy(): void;
  /** Makes it one that does not load, until it is repaired. */
  breakPolicy(): () => void;
  stop(): Promise<void>;
}

const soakDir = join(projectRoot, "test/perf/soak");

export async function startServers(): Promise<Servers> {
  const dir = mkdtempSync(join(tmpdir(), "bridge-soak-"));
  const policy = join(dir, "policy.ts");
  for (const name of ["policy.ts", "misbehave.ts", "globs.ts"]) cpSync(join(soakDir, name), join(dir, name));
  const source = readFileSync(policy, "utf8");
  let version = 0;
  const bridge = {
    module: "synapse_module_bridge.ModuleBridge",
    config: { modules: [{ path: policy }, { path: join(dir, "globs.ts") }], memory: "192M" },
  };
  const start = (module: { module: string; config: unknown }) =>
    startHomeserver({
      modules: [pauses({ own_group: true }), module],
      pythonPath: [join(projectRoot, "python-shim"), soakDir, pausesPath],
      extraConfig: {
        enable_metrics: true,
        listeners: [
          {
            ...{ port: 0, type: "http", bind_addresses: ["127.0.0.1"] },
            resources: [{ names: ["client", "metrics"] }],
          },
        ],
      },
    });
  const started = await Promise.allSettled([
    start(bridge),
    start({ module: "soak_twin.SoakTwin", config: {} }),
  ]);
  const running = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  const [first, second] = running;
  if (!first || !second) {
    await stop();
    throw started.find((result) => result.status === "rejected")?.reason;
  }
  return {
    ...{ bridge: first, twin: second, stop },
    changePolicy() {
      version += 1;
      writeFileSync(policy, `${source}// version ${version}\n`);
    },
    breakPolicy() {
      const sound = readFileSync(policy, "utf8");
      writeFileSync(policy, `${sound}const = ;\n`);
      return () => writeFileSync(policy, sound);
    },
  };
}

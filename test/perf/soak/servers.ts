/** The two Synapses of the soak: one with the bridge and the policy in TypeScript, one with the same policy in Python. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { projectRoot } from "../../support/paths.js";
import { pauses, pausesPath } from "../../support/pauses.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

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
  const folder = temporaryFolder();
  const policy = folder.path("policy.ts");
  for (const name of ["policy.ts", "misbehave.ts", "globs.ts"])
    cpSync(join(soakDir, name), folder.path(name));
  const source = readFileSync(policy, "utf8");
  let version = 0;
  const modules = [{ path: policy }, { path: folder.path("globs.ts") }];
  const start = (module: ModuleEntry) =>
    startHomeserver({
      modules: [pauses({ own_group: true }), module],
      pythonPath: [shim, soakDir, pausesPath],
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
    start(bridge({ modules, memory: "192M" })),
    start({ module: "soak_twin.SoakTwin", config: {} }),
  ]);
  const running = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()));
    folder.remove();
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

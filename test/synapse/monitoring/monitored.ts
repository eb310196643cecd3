// A Synapse with a worker, and a Prometheus that scrapes both and knows the alert rules.

import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, startDeployment } from "../../support/deployment.js";
import { type Prometheus, startPrometheus } from "../../support/prometheus.js";
import { impatientRules } from "./expressions.js";

export interface Monitored {
  readonly deployment: Deployment;
  readonly prometheus: Prometheus;
  /** Registers a user. */
  user(name: string, options?: { readonly admin: boolean }): Promise<Client>;
  stop(): Promise<void>;
}

/** `modules` are those of homeserver.yaml. */
export async function startMonitored(modules: readonly ModuleEntry[]): Promise<Monitored> {
  const deployment = await startDeployment({ modules, workers: ["worker1"], pythonPath: [shim] });
  try {
    const targets = Object.entries(deployment.processes).map(([name, { baseUrl }]) => [name, baseUrl]);
    const prometheus = await startPrometheus({
      targets: Object.fromEntries(targets),
      rules: impatientRules,
    });
    const { baseUrl } = deployment.process("main");
    return {
      deployment,
      prometheus,
      user: (name, options) =>
        registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, name, options),
      async stop() {
        await prometheus.stop();
        await deployment.stop();
      },
    };
  } catch (error) {
    await deployment.stop();
    throw error;
  }
}

/** A deployment with workers whose modules write down what each process asks them, and people to ask for it. */
import { existsSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, type DeploymentOptions, main, startDeployment } from "../../support/deployment.js";
import { projectRoot } from "../../support/paths.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import type { Seen } from "../differential/script.js";

/** One call, and the process that asked. */
interface Witnessed extends Seen {
  readonly process: string;
  /** Of the event that it is about. */
  readonly event_id?: string;
}

export interface Deployed extends Deployment {
  user(name: string, options?: { admin: boolean }): Promise<Client>;
  /** The calls since the last `forget`. */
  seen(): Witnessed[];
  forget(): void;
}

/** `config` is the configuration of the bridge, but for its modules. */
export async function deploy(
  config: Readonly<Record<string, unknown>>,
  options: DeploymentOptions,
): Promise<Deployed> {
  const folder = temporaryFolder();
  const log = folder.path("seen.jsonl");
  const modules = [{ path: join(projectRoot, "test/synapse/workers/modules/witness.ts"), config: { log } }];
  try {
    const deployment = await startDeployment({
      modules: [bridge({ modules, ...config })],
      pythonPath: [shim],
      ...options,
    });
    const { baseUrl } = deployment.process(main);
    return {
      ...deployment,
      user: (name, options) =>
        registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, name, options),
      seen: () =>
        (existsSync(log) ? readFileSync(log, "utf8") : "")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
      forget: () => existsSync(log) && truncateSync(log),
      stop: async () => {
        await deployment.stop();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

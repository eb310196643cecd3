/** A deployment with workers whose modules write down what each process asks them, and people to ask for it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, type DeploymentOptions, main, startDeployment } from "../../support/deployment.js";
import { projectRoot } from "../../support/paths.js";
import type { Seen } from "../differential/script.js";

/** One call, and the process that asked. */
export interface Witnessed extends Seen {
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

/** `bridge` is the configuration of the bridge, but for its modules. */
export async function deploy(
  bridge: Readonly<Record<string, unknown>>,
  options: DeploymentOptions,
): Promise<Deployed> {
  const dir = mkdtempSync(join(tmpdir(), "bridge-workers-"));
  const log = join(dir, "seen.jsonl");
  const modules = [{ path: join(projectRoot, "test/synapse/workers/modules/witness.ts"), config: { log } }];
  const remove = () => rmSync(dir, { recursive: true, force: true });
  const entry = { module: "synapse_module_bridge.ModuleBridge", config: { modules, ...bridge } };
  try {
    const deployment = await startDeployment({
      modules: [entry],
      // The bridge under test is this tree's, whichever is installed.
      pythonPath: [join(projectRoot, "python-shim")],
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
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

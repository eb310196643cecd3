/** An environment with the oldest Synapse that the bridge is tried on, and homeservers of it. */
import { join } from "node:path";
import { bridge } from "../support/bridge.js";
import { type Homeserver, startHomeserver } from "../support/homeserver.js";
import { projectRoot } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { buildPackages, constraintsWithout, makeEnvironment } from "./environment.js";

export interface OlderSynapse {
  readonly folder: string;
  /** With this configuration of the bridge. */
  start(config: Readonly<Record<string, unknown>>): Promise<Homeserver>;
  remove(): void;
}

export async function olderSynapse(): Promise<OlderSynapse> {
  const folder = temporaryFolder();
  const requirements = join(projectRoot, "test/packages/older-synapse.txt");
  const [wheel = ""] = await buildPackages(join(projectRoot, "python-shim"), folder.path("built"), ["wheel"]);
  const constraints = constraintsWithout(requirements, folder.root);
  const install = ["-r", requirements, "-c", constraints, wheel];
  const python = join(await makeEnvironment(folder.path("older"), install), "python");
  return {
    folder: folder.root,
    start: (config) => startHomeserver({ python, modules: [bridge(config)] }),
    remove: () => folder.remove(),
  };
}

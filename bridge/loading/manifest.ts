// What a module declares, as the shim gets it; and whether shim and host belong together.

import {
  type DeclaredModule,
  type Initialize,
  PROTOCOL,
  type StartupProblem,
} from "../catalogue/protocol.js";
import type { LoadedModule } from "../declarations/module.js";
import type { Snapshot } from "./snapshot.js";

export function declare(module: LoadedModule, snapshot: Snapshot): DeclaredModule {
  const { name, callbacks, web_resources, files, packages } = module;
  // The handlers stay here: JSON leaves functions out.
  const declared = [...callbacks].map(([callback, entry]) => [callback, JSON.parse(JSON.stringify(entry))]);
  return {
    name,
    callbacks: Object.fromEntries(declared),
    web_resources: [...web_resources.keys()],
    files: snapshot.digestsOf(files),
    packages: snapshot.digestsOf(packages),
    not_kept: snapshot.leftOutOf(name),
  };
}

/** What is wrong where host and shim do not belong together. */
export function mismatch(
  shim: Initialize,
  host: { version: string; catalogue: string },
): StartupProblem | undefined {
  const fits =
    shim.protocol === PROTOCOL && shim.version === host.version && shim.catalogue === host.catalogue;
  if (fits) return undefined;
  const detail =
    shim.version === host.version ? "of the same version, but not of the same build" : "of another version";
  const message =
    `the shim (${shim.version}, protocol ${shim.protocol}) has started a host ${detail} ` +
    `(${host.version}, protocol ${PROTOCOL}): install synapse-module-bridge again, so that both come from one package`;
  return { path: [], message };
}

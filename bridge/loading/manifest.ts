// Makes a module's part of the manifest, and checks that shim and host are of the same build.

import {
  type DeclaredModule,
  type Initialize,
  PROTOCOL,
  type StartupProblem,
} from "../catalogue/protocol.js";
import type { LoadedModule } from "../declarations/module.js";
import type { Snapshot } from "./snapshot.js";

export function declare(module: LoadedModule, snapshot: Snapshot): DeclaredModule {
  const { name, callbacks, web_resources, broadcasts, files, packages } = module;
  // JSON leaves the handlers out.
  const declared = [...callbacks].map(([callback, entry]) => [callback, JSON.parse(JSON.stringify(entry))]);
  return {
    name,
    callbacks: Object.fromEntries(declared),
    web_resources: [...web_resources.keys()],
    broadcasts: [...broadcasts.keys()],
    files: snapshot.digestsOf(files),
    packages: snapshot.digestsOf(packages),
    not_kept: snapshot.leftOutOf(name),
  };
}

/** Returns a startup problem if host and shim are not of the same build. */
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

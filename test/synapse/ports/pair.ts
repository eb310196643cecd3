// Two servers that must behave alike, one with the published Python module and one with its port, and how to compare.
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { bridge, examplePath } from "../../support/bridge.js";
import { type Body, type Client, registerUser } from "../../support/client.js";
import { type Homeserver, type HomeserverOptions, startHomeserver } from "../../support/homeserver.js";
import { installPackages } from "../../support/packages.js";
import { projectRoot } from "../../support/paths.js";
import { normalise } from "../differential/normal.js";

/** How long `startPair` may take: the first one installs the originals as well. */
export const START_LIMIT_MS = 180_000;

/** One of the two servers, with what differs between them and what to call it. */
export interface Side {
  readonly server: Homeserver;
  readonly names: Map<string, string>;
  /** Registers a local user. */
  user(name: string, options?: { admin?: boolean; displayname?: string }): Promise<Client>;
}

export interface Pair {
  readonly original: Side;
  readonly port: Side;
  /** Does the same on both, expects that the same came of it, and gives that, so that a test can say what it is. */
  alike(scenario: (side: Side) => Promise<unknown>): Promise<Body>;
  /** Does the same on both, and gives what came of it on each: for an intended difference. */
  each(scenario: (side: Side) => Promise<unknown>): Promise<{ original: Body; port: Body }>;
  stop(): Promise<void>;
}

export interface Subject {
  readonly original: readonly ModuleEntry[];
  /** The entry of the port in the bridge's `modules`; `path` is a file in examples/. */
  readonly port: { readonly path: string; readonly config: unknown; readonly grants?: readonly string[] };
  /** Other keys of the bridge's configuration. */
  readonly bridge?: Readonly<Record<string, unknown>>;
  /** For both servers, or for each. */
  readonly options?: Options | ((side: "original" | "port") => Options);
}

type Options = Pick<HomeserverOptions, "extraConfig" | "federation" | "env">;

export async function startPair({ original, port, options, bridge: more }: Subject): Promise<Pair> {
  const here = join(projectRoot, "test/synapse/ports");
  const pythonPath = [await installPackages(join(here, "originals.txt")), here];
  const boot = (name: "original" | "port", modules: readonly ModuleEntry[]) =>
    startHomeserver({ modules, pythonPath, ...(typeof options === "function" ? options(name) : options) });
  const ported = [bridge({ ...more, modules: [{ ...port, path: examplePath(port.path) }] })];
  const started = await Promise.allSettled([boot("original", original), boot("port", ported)]);
  const servers = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const [first, second] = servers;
  if (!first || !second) {
    await stop();
    throw started.find((result) => result.status === "rejected")?.reason;
  }
  const [left, right] = [side(first), side(second)];
  const each: Pair["each"] = async (scenario) => {
    const run = async (one: Side) => normalise(await scenario(one), one.names);
    const [ofOriginal, ofPort] = await Promise.all([run(left), run(right)]);
    return { original: ofOriginal, port: ofPort };
  };
  const alike: Pair["alike"] = async (scenario) => {
    const outcome = await each(scenario);
    expect(outcome.port).toEqual(outcome.original);
    return outcome.port;
  };
  return { original: left, port: right, alike, each, stop };
}

function side(server: Homeserver): Side {
  return {
    server,
    names: new Map([
      [server.serverName, "<server>"],
      [server.baseUrl, "<address>"],
    ]),
    user: (name, options) => registerUser(server, name, options),
  };
}

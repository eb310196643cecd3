// The servers that are compared (one with the bridge, one with the Python twin), and another that talks to all of them.
import { readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModuleEntry } from "../../../bridge/testing/synapse/homeserver-yaml.js";
import { bridge } from "../../support/bridge.js";
import { makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type IdentityServer, startIdentityServer } from "../../support/identity-server.js";
import { projectRoot } from "../../support/paths.js";
import { optional } from "../../support/subject.js";
import { type Folder, temporaryFolder } from "../../support/temporary-folder.js";
import { promptUpdates, untilIdle } from "./background-updates.js";
import { everywhere } from "./catalogue.js";
import type { Script, Seen } from "./script.js";

const here = join(projectRoot, "test/synapse/differential");
/** The three modules that each server has, in this order. */
const moduleNames = ["first", "second", "third"] as const;

export interface Side {
  readonly server: Homeserver;
  readonly remote: Homeserver;
  readonly identity: IdentityServer;
  /** Local users; bob is a member of `room`, rita (of the remote server) and bob of `shared`. */
  readonly alice: Client;
  readonly bob: Client;
  readonly admin: Client;
  readonly rita: Client;
  readonly room: string;
  readonly shared: string;
  /** What must differ between the sides, and what to call it. */
  readonly names: Map<string, string>;
  write(script: Script): void;
  /** The calls that the policies saw since the last `forget`. */
  seen(): Seen[];
  /** How many of them there are of each callback, but for those that Synapse asks everywhere. */
  counts(): string;
  forget(): void;
  /** Registers a local user; `name` must be the same on both sides. */
  user(name: string): Promise<Client>;
}

export interface Sides<Name extends string = "bridge" | "twin"> {
  readonly sides: Readonly<Record<Name, Side>>;
  stop(): Promise<void>;
}

export interface Files {
  readonly script: string;
  readonly log: string;
}

const policies: Readonly<Record<string, string>> = {
  first: "policy-first.ts",
  second: "policy-with-state.ts",
};

/** The scripted policy in TypeScript, as some modules of these names. */
export function bridgeModules(files: Files, names: readonly string[], config: object): ModuleEntry[] {
  const modules = names.map((name) => ({
    path: join(here, policies[name] ?? "policy.ts"),
    name,
    config: { name, ...files },
  }));
  return [bridge({ modules, ...config })];
}

function twinModules(files: Files): ModuleEntry[] {
  return moduleNames.map((name) => ({ module: "policy_twin.PolicyTwin", config: { name, ...files } }));
}

export function startPair(): Promise<Sides> {
  const inTypeScript = (files: Files) =>
    bridgeModules(files, moduleNames, { timeout: "20s", callbacks: optional });
  // While the bridge is being worked on, the suite itself can be tried with the twin on both sides.
  const subject = process.env.DIFFERENTIAL_SUBJECT === "twin" ? twinModules : inTypeScript;
  return startSides({ bridge: subject, twin: twinModules });
}

/**
 * Servers with these modules, furnished alike, and one more that all of them federate with. With `newDatabase`, modules see
 * the background updates of a new one.
 */
export async function startSides<Name extends string>(
  modulesOf: Readonly<Record<Name, (files: Files) => readonly ModuleEntry[]>>,
  { newDatabase = false } = {},
): Promise<Sides<Name>> {
  const folder = temporaryFolder();
  const certificates = makeCertificates();
  const identity = await startIdentityServer(certificates);
  const started: Homeserver[] = [];
  const boot = async (modules: readonly ModuleEntry[]) => {
    const options = { federation: certificates, pythonPath: [here], extraConfig: promptUpdates, newDatabase };
    const server = await startHomeserver({ modules, ...options });
    started.push(server);
    return server;
  };
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
    await identity.close();
    certificates.remove();
    folder.remove();
  };
  const files = (name: string) => {
    const paths = { script: folder.path(`${name}.script.json`), log: folder.path(`${name}.log.jsonl`) };
    writeFileSync(paths.script, "{}");
    writeFileSync(paths.log, "");
    return paths;
  };
  try {
    const names = Object.keys(modulesOf) as Name[];
    const filesOf = names.map(files);
    const booting = names.map((name, index) => boot(modulesOf[name](filesOf[index] as Files)));
    const bootingRemote = boot([]);
    await Promise.allSettled([...booting, bootingRemote]);
    const [servers, remote] = [await Promise.all(booting), await bootingRemote];
    // Until then users come and go in the directory.
    await Promise.all(servers.map((server) => untilIdle(server)));
    const rita = await registerUser(remote, "rita");
    const furnished = servers.map((server, index) =>
      furnish({ server, remote, rita, identity, files: filesOf[index] as Files, folder }),
    );
    const sides = (await Promise.all(furnished)).map((side, index) => [names[index], side]);
    return { sides: Object.fromEntries(sides), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Furniture {
  readonly server: Homeserver;
  readonly remote: Homeserver;
  readonly rita: Client;
  readonly identity: IdentityServer;
  readonly files: Files;
  readonly folder: Folder;
}

async function furnish({ server, remote, rita, identity, files, folder }: Furniture): Promise<Side> {
  const user = (name: string) => registerUser(server, name);
  const alice = await user("alice");
  const bob = await user("bob");
  const admin = await registerUser(server, "admin", { admin: true });
  const room = (await alice.createRoom({ preset: "public_chat", name: "The room" })).body.room_id;
  await bob.join(room);
  const shared = (await alice.createRoom({ preset: "public_chat", name: "The shared room" })).body.room_id;
  await bob.join(shared);
  const joined = await rita.join(shared, [server.serverName]);
  if (joined.status !== 200) throw new Error(`rita could not join: ${joined.text}`);
  const names = new Map([
    [server.serverName, "<server>"],
    [server.dir, "<dir>"],
    [remote.serverName, "<remote>"],
    [identity.name, "<identity>"],
    [room, "<the room>"],
    [shared, "<the shared room>"],
  ]);
  const write = (script: Script) => {
    // Renamed into place, so that a policy never reads half of it.
    const draft = folder.path(`${server.pid}.draft`);
    writeFileSync(draft, JSON.stringify(script));
    renameSync(draft, files.script);
  };
  return {
    ...{ server, remote, identity, alice, bob, admin, rita, room, shared, names, write, user },
    seen: () =>
      readFileSync(files.log, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    counts: () => {
      const counts: Record<string, number> = {};
      for (const [, callback] of readFileSync(files.log, "utf8").matchAll(/"callback": ?"(\w+)"/g)) {
        if (callback && !everywhere.has(callback)) counts[callback] = (counts[callback] ?? 0) + 1;
      }
      return JSON.stringify(Object.entries(counts).sort());
    },
    forget: () => truncateSync(files.log),
  };
}

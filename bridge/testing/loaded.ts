// Loads the modules of a test into hosts, in this process or in a child, and lists what they declare.
import { formatDuration, parseDuration } from "../base/duration.js";
import { VERSION } from "../base/version.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import {
  type DeclaredCallback,
  type DeclaredLogin,
  LIMITS,
  type Manifest,
  PROTOCOL,
  type Reply,
  type SetUpReply,
  type SynapseInfo,
} from "../catalogue/protocol.js";
import type { Importer } from "../loading/loader.js";
import { createLogger, type Logger } from "../logging/log.js";
import { AnswerCache } from "../shim-rules/answer-cache.js";
import type { Clock } from "./clock.js";
import type { FakeSynapse } from "./fake-synapse.js";
import { HostHere, HostInChild, type HostLink, type LinkOptions, MissedDeadline } from "./host-link.js";
import { LoadProblems } from "./load-problems.js";
import type { FakeApi } from "./options.js";
import type { Wanted } from "./wanted.js";
import type { World } from "./world.js";

// How much later than at its limit a host may say that `setup` has not ended.
const REPLY_MS = 1_000;

/** One module's declaration of one callback. */
export interface Entry {
  module: string;
  link: HostLink;
  declared: DeclaredCallback | DeclaredLogin;
  /** Of a list of entries: its index. */
  index?: number;
  cache?: AnswerCache<Reply>;
}

/** The modules that run now. */
export interface Loaded {
  links: readonly HostLink[];
  entries: ReadonlyMap<string, readonly Entry[]>;
  web: readonly { module: string; path: string; link: HostLink }[];
}

/** What loading needs besides the modules. */
export interface LoadingAround {
  wanted: readonly Wanted[];
  catalogue: Catalogue;
  clock: Clock;
  world: World;
  synapse: FakeSynapse;
  api?: FakeApi | undefined;
  /** For calls by hand: files run in this process, too. */
  remedy?: ((path: string) => string) | undefined;
  /** A new file for the clock of a child. */
  clockFile(): string;
  /** Gets what the modules log, unless `log` does. */
  record(record: Record<string, unknown>): void;
  log?: Logger | undefined;
  /** How long loading may take, in milliseconds; by default as in production. Calls by hand have no limit. */
  start_timeout_ms?: number | undefined;
  /** Called between loading and `setup`. */
  onLoaded?: (() => void) | undefined;
}

/** Loads the modules and runs their `setup`. Throws LoadProblems, or what a `setup` throws. */
export async function load(around: LoadingAround): Promise<Loaded> {
  const { wanted, remedy, clock, synapse, catalogue } = around;
  const here = wanted.filter((one) => remedy || "exported" in one);
  const inChild = wanted.filter((one) => !here.includes(one));
  const log = around.log ?? createLogger({ write: (line) => around.record(JSON.parse(line)) });
  const options: LinkOptions = {
    ...{ catalogue, clock, record: around.record },
    serve: (method, params) => synapse.serve(method, params),
  };
  const parts: [HostLink, readonly Wanted[]][] = [];
  if (here.length > 0)
    parts.push([new HostHere(remedy ? undefined : importerOf(wanted), log, options), here]);
  if (inChild.length > 0) parts.push([new HostInChild(around.clockFile(), options), inChild]);
  try {
    const manifests: [HostLink, Manifest][] = [];
    for (const [link, part] of parts) manifests.push([link, await initialize(link, part, around)]);
    return entriesOf(manifests, around);
  } catch (error) {
    await closeAll(parts.map(([link]) => link));
    throw error;
  }
}

/** Gives the host the modules that the test has imported. */
function importerOf(wanted: readonly Wanted[]): Importer {
  const here = new Map(wanted.map(({ settings, exported }) => [settings.path, exported]));
  return {
    find: (file) => file,
    import: async (file) => ({ exported: here.get(file), files: [file], packages: [] }),
  };
}

async function initialize(
  link: HostLink,
  wanted: readonly Wanted[],
  around: LoadingAround,
): Promise<Manifest> {
  const modules = wanted.map(({ settings }) => settings);
  const { start_timeout_ms = LIMITS.start_timeout_ms, remedy } = around;
  const names = modules.map(({ name }) => name).join(", ");
  // Whoever calls by hand may be debugging.
  const within = (ms: number, what: string, method: string, params: object) =>
    link.request(method, params, remedy ? undefined : ms).catch((error) => {
      if (!(error instanceof MissedDeadline)) throw error;
      throw new Error(`${names}: ${what} within ${formatDuration(ms)}`);
    });
  const initialize = {
    ...{ protocol: PROTOCOL, version: VERSION, catalogue: around.catalogue.hash },
    ...{ synapse: synapseInfo(around), start_timeout_ms, modules },
  };
  const notLoaded = "not loaded (does it await something at its top level that never ends?)";
  const manifest = (await within(start_timeout_ms, notLoaded, "initialize", initialize)) as Manifest;
  if (manifest.faults.length > 0) throw new LoadProblems(manifest.faults);
  around.onLoaded?.();
  await link.notify("start", {});
  // The host ends an attempt by itself, unless a module blocks it.
  const set_up_ms = LIMITS.setup_attempt_ms + REPLY_MS;
  const { failed } = (await within(set_up_ms, "setup has not ended", "set_up", {})) as SetUpReply;
  const [first] = Object.entries(failed);
  if (first) {
    const [module, why] = first;
    throw (await link.thrownIn(null, module)) ?? new Error(`${module}: setup failed: ${why}`);
  }
  return manifest;
}

function entriesOf(manifests: readonly [HostLink, Manifest][], { wanted, clock }: LoadingAround): Loaded {
  const entries = new Map<string, Entry[]>();
  const order = wanted.map(({ settings }) => settings.name);
  const declared = manifests.flatMap(([link, manifest]) =>
    manifest.modules.map((module) => ({ link, module })),
  );
  declared.sort((a, b) => order.indexOf(a.module.name) - order.indexOf(b.module.name));
  for (const { link, module } of declared) {
    for (const [name, one] of Object.entries(module.callbacks)) {
      const known = entries.get(name) ?? [];
      entries.set(name, known);
      const make = (part: DeclaredCallback | DeclaredLogin, index?: number): Entry => ({
        ...{ module: module.name, link, declared: part },
        ...(index !== undefined && { index }),
        ...(part.ttl !== undefined && {
          cache: new AnswerCache<Reply>(parseDuration(part.ttl), () => clock.now()),
        }),
      });
      if (one.checkers) known.push(...one.checkers.map((checker, index) => make(checker, index)));
      else known.push(make(one));
    }
  }
  const web = declared.flatMap(({ link, module }) =>
    module.web_resources.map((one) => ({ module: module.name, path: one, link })),
  );
  return { links: manifests.map(([link]) => link), entries, web };
}

/** What the synchronous part of the api answers with. */
function synapseInfo({ world, catalogue, api = {} }: LoadingAround): SynapseInfo {
  const { server_name } = world;
  const { should_run_background_tasks: background } = api;
  const properties = [...catalogue.properties.keys()].filter((name) => name in api);
  return {
    ...{ version: "0.0.0", server_name, worker_name: null, worker_app: null },
    ...{ public_baseurl: `https://${server_name}/`, email_app_name: "Matrix", custom_template_dir: null },
    ...Object.fromEntries(properties.map((name) => [name, api[name as keyof FakeApi]])),
    run_background_tasks: background ? Boolean(background()) : true,
  };
}

export async function closeAll(links: readonly HostLink[]): Promise<void> {
  await Promise.all(links.map((link) => link.close()));
}

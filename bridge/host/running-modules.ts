// The modules that run on this thread: loads them, gives each its api and its log, and runs their `setup`.

import { isMainThread } from "node:worker_threads";
import { describeThrown } from "../base/thrown.js";
import { closeModule } from "../calls/closing.js";
import type { RunningModule } from "../calls/context.js";
import { DEBUG_SETUP_TIMES, ModuleSetup, SETUP_TIMES, type SetupTimes } from "../calls/setup.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { Initialize, LogLevels, SynapseInfo } from "../catalogue/protocol.js";
import { type LoadedModule, nameOf } from "../declarations/module.js";
import { conditionsTooNew } from "../declarations/since.js";
import { loadModules } from "../loading/loader.js";
import { declare } from "../loading/manifest.js";
import { Snapshot } from "../loading/snapshot.js";
import { type Logger, setLevel } from "../logging/log.js";
import { type ApiSource, makeApi } from "../module-api/api.js";
import { Recorder } from "../recording/recorder.js";
import { prepareFolder } from "../recording/writer.js";
import type { ManifestPart, PlacedModule } from "../threads/load-in-thread.js";
import type { Cancellation } from "../transport/cancellation.js";
import { forTests as asTested, type ForTests, withAllGrants } from "./for-tests.js";

export interface RunningModulesOptions {
  catalogue: Catalogue;
  log: Logger;
  setupTimes?: SetupTimes | undefined;
  source: ApiSource;
  /** Called before a module's file runs, with its index among all modules. Loading waits until the promise resolves. */
  onLoading(index: number, name: string): Promise<void>;
  /** Called when a module's `setup` has succeeded. */
  onSetUp(): void;
  forTests?: ForTests | undefined;
}

export class RunningModules {
  readonly byName = new Map<string, RunningModule>();
  /** The module that is being loaded. */
  loading: string | undefined;
  #recorder: Recorder | undefined;

  constructor(private readonly options: RunningModulesOptions) {}

  /** Loads the modules of `initialize`. `placed` has their places in the configuration, if they are not all of its modules. */
  async load(
    { modules, synapse, record, snapshot: given, debug = false }: Initialize,
    placed?: readonly PlacedModule[],
  ): Promise<ManifestPart> {
    const { catalogue, log, onLoading, forTests } = this.options;
    const snapshot = given === undefined ? new Snapshot() : Snapshot.from(given);
    const watch = {
      warn: (text: string) => log.warn(text),
      loading: (index: number, name: string) => {
        this.loading = name;
        return onLoading(placed?.[index]?.index ?? index, name);
      },
    };
    const settings = forTests ? withAllGrants(modules) : modules;
    const loaded = await loadModules(settings, catalogue, watch, snapshot, forTests?.importer);
    this.loading = undefined;
    const unfit = record && prepareFolder(record.folder, record.examined);
    if (record && unfit === undefined && !record.examined)
      this.#recorder = new Recorder(record, synapse, catalogue, log);
    // A restart must not fail for the sake of a recording.
    if (unfit !== undefined && given !== undefined) log.error(`nothing is recorded: ${unfit}`);
    for (const module of loaded.modules) {
      const files = Object.values(snapshot.digestsOf([...module.files, ...module.packages]));
      const asked = forTests ? asTested(module, modules[module.index]?.grants) : module;
      this.byName.set(module.name, this.#run(asked, synapse, files, debug));
      warmUp(module, catalogue);
    }
    const problems = [...loaded.problems, ...conditionsTooNew(loaded.modules, synapse.version, catalogue)];
    // Threads share the folder of the main thread.
    if (unfit !== undefined && given === undefined && isMainThread)
      problems.push({ path: ["record", "folder"], message: unfit });
    // Before `declare`, since serializing decides what the snapshot leaves out.
    const text = given === undefined ? snapshot.serialize(watch.warn) : undefined;
    const own = text === undefined ? {} : { snapshot: [{ names: modules.map(nameOf), text }] };
    const declared = loaded.modules.map((module) => declare(module, snapshot));
    snapshot.dropContents();
    return { modules: declared, faults: problems, ...own };
  }

  /** Starts the `setup` of each module. */
  start(): void {
    for (const { setup } of this.byName.values()) setup.start();
  }

  /** Ends the attempts of `setup`. */
  stop(): void {
    for (const { setup } of this.byName.values()) setup.stop();
  }

  /** Resolves when all that was recorded is written. */
  async close(): Promise<void> {
    await Promise.all([...this.byName.values()].map(closeModule));
    await this.#recorder?.close();
  }

  /** Runs what is never recorded. */
  unrecorded<T>(run: () => T): T {
    return this.#recorder ? this.#recorder.unrecorded(run) : run();
  }

  setLogLevels({ levels }: LogLevels): void {
    for (const { module, log, setup } of this.byName.values())
      for (const logger of [log, setup.log]) setLevel(logger, levels[module.name]);
  }

  /** The modules whose `setup` has not succeeded. */
  get notSetUp(): string[] {
    const running = [...this.byName.values()];
    return running.filter(({ setup }) => !setup.done).map(({ module }) => module.name);
  }

  /** Waits for the first `setup` of each module. Returns why it has failed, by module. */
  async setUp(cancellation: Cancellation): Promise<Record<string, string>> {
    const failed: Record<string, string> = {};
    for (const { module, setup } of this.byName.values()) {
      try {
        await setup.ready(cancellation);
      } catch (error) {
        failed[module.name] = setup.failure ?? describeThrown(error);
      }
    }
    return failed;
  }

  #run(loaded: LoadedModule, synapse: SynapseInfo, files: readonly string[], debug: boolean): RunningModule {
    const { catalogue, log: logger, source, onSetUp } = this.options;
    const { setupTimes = debug ? DEBUG_SETUP_TIMES : SETUP_TIMES } = this.options;
    const recorder = this.#recorder;
    const module = recorder?.around(loaded, files) ?? loaded;
    const api = makeApi(module, synapse, recorder?.over(source) ?? source, catalogue);
    const log = logger.child({ module: module.name });
    const setup = new ModuleSetup(module, api, log, setupTimes);
    setup.onSuccess = onSetUp;
    return { module, api, log, setup };
  }
}

/** Compiles the validators now, so that the first call does not take longer. */
function warmUp({ callbacks }: LoadedModule, catalogue: Catalogue): void {
  for (const name of callbacks.keys()) {
    const callback = catalogue.callbacks.get(name);
    if (!callback) continue;
    catalogue.paramsValidator(callback.params, false)({});
    catalogue.validator(callback.result)(null);
  }
}

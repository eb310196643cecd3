// Hooks into Node's `import`: records what Node resolves and loads, and returns the recorded results after a restart. Newer
// versions of Node run hooks in the same thread. Older ones need a thread for them, which costs 0.1 s and 10 MB, so the hooks
// are set up only when Node loads its first ES module.
import Module, { register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { RESOLVE, type Snapshot, UNKNOWN } from "./snapshot.js";

interface Found {
  url: string;
  format?: string | null;
  importAttributes?: object;
  shortCircuit?: boolean;
}

interface Source {
  format?: string | null;
  source?: string | Uint8Array | null;
  shortCircuit?: boolean;
}

interface Context {
  parentURL?: string;
  conditions?: string[];
  importAttributes?: object;
}

/** The recorded results: resolved specifiers by key, and sources by URL. */
interface Recorded {
  found(key: string): Found | undefined;
  source(url: string, isRequired: boolean): Source | undefined;
}

type HookReport = { key: string; found: Found } | { url: string; source: Source };

type Next<Argument, Result> = (what: string, context: Argument) => Result | Promise<Result>;

/** The prefix of the lookups of the names that a file exports. */
export const NAMES = "import ";
// The name under which newer versions of Node export a CommonJS module as a whole.
const WHOLE = "module.exports";

const { registerHooks } = Module as unknown as { registerHooks(hooks: object): void };
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** Whether Node runs hooks in the same thread, and lets them leave CommonJS to Node. Then the hooks see every file. */
export const hasOwnHooks = (major === 24 && minor >= 11) || major >= 26;

let snapshot: Snapshot | undefined;
let port: MessagePort | undefined;
// URLs of CommonJS modules that ES modules have imported.
const imported = new Set<string>();

/** From now on, imports are recorded in this snapshot, or replayed from it. */
export function hookImports(next: Snapshot): void {
  const isFirst = snapshot === undefined;
  snapshot = next;
  if (isFirst) setUp(next);
}

/** After an `import`: takes over what the hook thread has reported, and records the exports of imported CommonJS modules. */
export async function collectImported(): Promise<void> {
  for (let next = port && receiveMessageOnPort(port); next; next = port && receiveMessageOnPort(port))
    recordReport(next.message);
  if (!snapshot?.isRecording) port?.close();
  for (const url of imported) {
    imported.delete(url);
    // It is loaded already, unless it has thrown.
    const names = await import(url).then(Object.keys, () => undefined);
    if (names) snapshot?.recordFound(NAMES + fileURLToPath(url), names);
  }
}

function setUp(snapshot: Snapshot): void {
  if (hasOwnHooks) registerHooks(makeHooks(liveRecorded, recordReport));
  else hookInThread(snapshot);
}

const liveRecorded: Recorded = {
  found: (key) => snapshot?.found(RESOLVE + key) as Found | undefined,
  source(url, isRequired) {
    const file = url.startsWith("file:") ? fileURLToPath(url) : undefined;
    return file === undefined || !snapshot ? undefined : sourceOf(file, snapshot, isRequired);
  },
};

function hookInThread(snapshot: Snapshot): void {
  const { port1, port2 } = new MessageChannel();
  port = port1;
  port.unref();
  const { files, lookups } = snapshot.forNode();
  const sources = files.map((file) => [pathToFileURL(file).href, sourceOf(file, snapshot, false)]);
  const found = lookups.map(([key, is]) => [key.slice(RESOLVE.length), is]);
  const code = `
    let hooks;
    export function initialize({ port, found, sources }) {
      const known = { found: (key) => found.get(key), source: (url) => sources.get(url) };
      hooks = (${makeHooks})(known, (report) => port.postMessage(report));
    }
    export const resolve = (...given) => hooks.resolve(...given);
    export const load = (...given) => hooks.load(...given);`;
  register(`data:text/javascript,${encodeURIComponent(code)}`, {
    data: { port: port2, found: new Map(found as []), sources: new Map(sources as []) },
    transferList: [port2],
  });
}

/** The recorded source of a file, as Node's load hook returns it. */
function sourceOf(file: string, snapshot: Snapshot, isRequired: boolean): Source | undefined {
  const { text, format } = snapshot.replayed(file) ?? {};
  if (text === undefined || format === undefined) return undefined;
  const isCommonJs = format === UNKNOWN || format === "commonjs";
  if (isCommonJs && !isRequired) {
    const names = snapshot.found(NAMES + file) as string[] | undefined;
    return names && { format: "module", source: asEsModule(file, names) };
  }
  // Without a format, Node detects it from the text.
  return { format: format === UNKNOWN ? null : format, source: text };
}

/** Wraps a CommonJS module for an ES module: Node's own way needs the file on disk, or gives it an incomplete `require`. */
function asEsModule(file: string, names: readonly string[]): string {
  const name = JSON.stringify(file);
  const lines = names
    .filter((one) => one !== "default")
    .map((one, index) => {
      const value = one === WHOLE ? "exports" : `exports?.[${JSON.stringify(one)}]`;
      return `const n${index} = ${value}; export { n${index} as ${JSON.stringify(one)} };`;
    });
  return [
    'import { createRequire } from "node:module";',
    `const exports = createRequire(${name})(${name}); export default exports;`,
    ...lines,
  ].join("\n");
}

function recordReport(report: HookReport): void {
  if (!snapshot?.isRecording) return;
  if ("found" in report) snapshot.recordFound(RESOLVE + report.key, report.found);
  else {
    const { format, source } = report.source;
    const file = fileURLToPath(report.url);
    if (format === "wasm" || format === "addon") snapshot.leaveOut(file);
    else if (source) snapshot.recordRead(file, Buffer.from(source as Uint8Array), format ?? UNKNOWN);
    else imported.add(report.url);
  }
}

/** Makes hooks for synchronous and asynchronous use. The function also runs in a thread, so it uses nothing outside it. */
function makeHooks(recorded: Recorded, report: (found: HookReport) => void) {
  const after = <T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> =>
    value instanceof Promise ? value.then(then) : then(value);
  return {
    resolve(specifier: string, context: Context, next: Next<Context, Found>) {
      const { parentURL = "", conditions = [], importAttributes } = context;
      const isRequired = conditions.includes("require");
      const key = [specifier, parentURL, isRequired].join("\n");
      const source = recorded.source(specifier, isRequired);
      const found = source ? { url: specifier, format: source.format } : recorded.found(key);
      if (found) return { ...found, format: found.format ?? undefined, importAttributes, shortCircuit: true };
      return after(next(specifier, context), (found) => {
        report({ key, found: { url: found.url, format: found.format ?? null } });
        return found;
      });
    },
    load(url: string, context: Context, next: Next<Context, Source>) {
      const isRequired = context.conditions?.includes("require") ?? false;
      const known = recorded.source(url, isRequired);
      if (known) return { ...known, format: known.format ?? undefined, shortCircuit: true };
      return after(next(url, context), (loaded) => {
        // Without a source, Node loads CommonJS as if there were no hooks. With one, some versions break circular requires.
        const source = loaded.format === "commonjs" && !isRequired ? null : (loaded.source ?? null);
        if (url.startsWith("file:")) report({ url, source: { format: loaded.format ?? null, source } });
        return { ...loaded, source };
      });
    },
  };
}

// Node's hooks around `import`: what it finds and loads is recorded, and at a restart given to it again. Newer Nodes run
// hooks where modules run; an older one needs a thread for them, which costs a tenth of a second and ten megabytes. So they
// are set up for the first ES module that Node itself loads.
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

/** What is there to be given again, by key and by URL. */
interface Recorded {
  found(key: string): Found | undefined;
  source(url: string, isRequired: boolean): Source | undefined;
}

type HookReport = { key: string; found: Found } | { url: string; source: Source };

type Next<Argument, Result> = (what: string, context: Argument) => Result | Promise<Result>;

/** How keys of lookups begin after the names that a file exports. */
export const NAMES = "import ";
// The name that newer Nodes give all that CommonJS exports.
const WHOLE = "module.exports";

const { registerHooks } = Module as unknown as { registerHooks(hooks: object): void };
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** Whether Node runs hooks where modules run, and lets them leave CommonJS to itself: then they see all of it. */
export const hasOwnHooks = (major === 24 && minor >= 11) || major >= 26;

let snapshot: Snapshot | undefined;
let port: MessagePort | undefined;
// CommonJS that ES modules have imported.
const imported = new Set<string>();

/** What is imported from now on belongs to these. */
export function hookImports(next: Snapshot): void {
  const isFirst = snapshot === undefined;
  snapshot = next;
  if (isFirst) setUp(next);
}

/** An `import` has come to its end: takes over what a thread has told, and what CommonJS has exported to ES modules. */
export async function collectImported(): Promise<void> {
  for (let next = port && receiveMessageOnPort(port); next; next = port && receiveMessageOnPort(port))
    recordReport(next.message);
  if (!snapshot?.isRecording) port?.close();
  for (const url of imported) {
    imported.delete(url);
    // It is there already, unless it has thrown.
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

/** What Node is given for a file that was loaded. */
function sourceOf(file: string, snapshot: Snapshot, isRequired: boolean): Source | undefined {
  const { text, format } = snapshot.replayed(file) ?? {};
  if (text === undefined || format === undefined) return undefined;
  const isCommonJs = format === UNKNOWN || format === "commonjs";
  if (isCommonJs && !isRequired) {
    const names = snapshot.found(NAMES + file) as string[] | undefined;
    return names && { format: "module", source: asEsModule(file, names) };
  }
  // Node looks at the text itself.
  return { format: format === UNKNOWN ? null : format, source: text };
}

/** CommonJS that an ES module imports: Node's own way to run it needs its file, or gives it half a `require`. */
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

/** Both for hooks that may be asynchronous and for such that may not. It runs in a thread, too: it knows nothing around. */
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
        // Without its text, Node loads CommonJS as if there were no hooks; with it, some versions break cycles of it.
        const source = loaded.format === "commonjs" && !isRequired ? null : (loaded.source ?? null);
        if (url.startsWith("file:")) report({ url, source: { format: loaded.format ?? null, source } });
        return { ...loaded, source };
      });
    },
  };
}

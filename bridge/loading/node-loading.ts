// Records what Node itself loads for modules (most of their packages), and makes Node load the same after a restart: for
// `require` by patching Node's CommonJS loader, for `import` by Node's hooks.
import { readFileSync } from "node:fs";
import Module, { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { OWN_FOLDER } from "../base/own-folder.js";
import { collectImported, hasOwnHooks, hookImports, NAMES } from "./import-hooks.js";
import { type Snapshot, UNKNOWN } from "./snapshot.js";

interface Loaded {
  _compile(code: string, filename: string, format?: string): unknown;
  exports: unknown;
}

type Extension = (module: Loaded, filename: string) => void;

/** Undocumented but long-standing parts of Node's CommonJS loader. */
interface Internals {
  _resolveFilename(
    request: string,
    parent: { filename?: string | null } | undefined,
    isMain?: boolean,
    options?: { paths?: string[] },
  ): string;
  _extensions: Record<string, Extension>;
}

const BYTE_ORDER_MARK = /^\uFEFF/;

const internals = Module as unknown as Internals;
const require = createRequire(import.meta.url);

let snapshot: Snapshot | undefined;

/** From now on, what Node loads is recorded in this snapshot, or replayed from it. */
export function recordNodeLoading(next: Snapshot): void {
  if (!snapshot) hookRequire();
  snapshot = next;
}

function hookRequire(): void {
  const { _resolveFilename: resolve, _extensions: extensions } = internals;
  internals._resolveFilename = function (request, parent, isMain, options) {
    const find = () => resolve.call(this, request, parent, isMain, options);
    if (!snapshot || isBuiltin(request)) return find();
    // Node may ask for a path that is resolved already.
    if (snapshot.replayed(request)) return request;
    if (parent?.filename?.startsWith(OWN_FOLDER)) return find();
    // Node resolves once for all files of a folder.
    const place = [request, parent?.filename ? path.dirname(parent.filename) : "", ...(options?.paths ?? [])];
    const file = snapshot.lookUp(`require ${place.join("\n")}`, find);
    snapshot.recordUse(file);
    return file;
  };
  const { ".js": js, ".node": addon } = extensions as Record<".js" | ".node", Extension>;
  extensions[".js"] = (module, filename) => {
    const { text, format } = snapshot?.replayed(filename) ?? {};
    if (text !== undefined && format !== undefined)
      module._compile(text, filename, format === UNKNOWN ? undefined : format);
    else {
      if (snapshot?.isRecording && !filename.startsWith(OWN_FOLDER)) recordWhenCompiled(module, snapshot);
      js(module, filename);
    }
  };
  extensions[".json"] = (module, filename) => {
    const text = snapshot?.replayed(filename)?.text ?? readFileSync(filename, "utf8");
    if (!filename.startsWith(OWN_FOLDER)) snapshot?.recordRead(filename, text, "json");
    try {
      module.exports = JSON.parse(text.replace(BYTE_ORDER_MARK, ""));
    } catch (error) {
      (error as Error).message = `${filename}: ${(error as Error).message}`;
      throw error;
    }
  };
  extensions[".node"] = (module, filename) => {
    snapshot?.leaveOut(`the native addon ${filename}`);
    addon(module, filename);
  };
}

/** Records the very text that Node compiles. */
function recordWhenCompiled(module: Loaded, snapshot: Snapshot): void {
  const compile = module._compile;
  module._compile = (code, filename, format) => {
    if (format !== "module" || hasOwnHooks)
      snapshot.recordRead(filename, bytesOf(filename, code), format ?? UNKNOWN);
    else snapshot.leaveOut(`${filename}, an ES module that CommonJS requires (Node 24.11 would keep it)`);
    return compile.call(module, code, filename, format);
  };
}

/** The bytes of a file if `text` is what Node decoded from them, else the text. */
function bytesOf(filename: string, text: string): Buffer | string {
  const bytes = readFileSync(filename);
  return bytes.toString("utf8").replace(BYTE_ORDER_MARK, "") === text ? bytes : text;
}

/** Imports a file that is not TypeScript, as Node does. `isEsModule` tells whether Node takes it for an ES module. */
export async function importByNode(
  id: string,
  snapshot: Snapshot,
  isEsModule: (file: string) => boolean,
): Promise<unknown> {
  const file = id.startsWith("file:") ? fileURLToPath(id) : id;
  if (!path.isAbsolute(file)) return import(id);
  const url = pathToFileURL(file).href;
  if (isEsModule(file)) hookImports(snapshot);
  let namespace: unknown;
  const names = await snapshot.lookUpAsync(NAMES + file, async () => {
    try {
      namespace = await import(url);
    } finally {
      await collectImported();
    }
    return Object.keys(namespace as object);
  });
  if (namespace !== undefined) return namespace;
  const format = snapshot.replayed(file)?.format;
  return format === undefined || format === "module" ? import(url) : namespaceOf(require(file), names);
}

/** Makes a namespace object of what a CommonJS module exports, as Node does. */
function namespaceOf(exports: unknown, names: readonly string[]): object {
  const whole = ["default", "module.exports"];
  const values = names.map((name) => [name, whole.includes(name) ? exports : (exports as never)?.[name]]);
  return Object.defineProperty(Object.fromEntries(values), Symbol.toStringTag, { value: "Module" });
}

// Imports a module's file: finds the entry file of a folder, and runs TypeScript and JavaScript with jiti. Every file gets
// the host's own SDK for `import "synapse-module-bridge"`, with or without a node_modules nearby.
import fs from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import type { Jiti, JitiOptions } from "jiti";
import { describeDenied } from "../base/denied.js";
import { isObject } from "../base/is-object.js";
import { findUnfitText, noSuchFile, readText } from "../base/text-files.js";
import * as sdk from "../index.js";
import { holdCompiler } from "./compile-thread.js";
import { compilerFor, runOfJiti } from "./compiler.js";
import { findLaterLoads } from "./later-loads.js";
import { importByNode, recordNodeLoading } from "./node-loading.js";
import { isOfPackage, Snapshot } from "./snapshot.js";
import { snapshotFileSystem } from "./snapshot-files.js";
import { readSourceMap, useSourceMaps } from "./source-maps.js";
import { meaningOptions } from "./tsconfig.js";

const ENTRY_FILES = ["index.ts", "index.mts", "index.js", "index.mjs"];
// How jiti formats an error of its compiler: `CODE: message`, and the place in another line.
const COMPILER = /^(\w+): ([\s\S]*?)\s*\n (\/[^\n]+:\d+:\d+)$/;
// The limit for a message, which may quote a whole file.
const MOST_CHARACTERS = 4_000;
const CONDITIONS = ["import", "node", "default", "require"];

interface Imported {
  exported: unknown;
  /** The module's own files, the imported one first. */
  files: string[];
  /** The files of packages that it was the first to load. */
  packages: string[];
}

type CreateJiti = (file: string, options: JitiOptions, around: object) => Jiti;
type FileSystem = typeof fs;

const require = createRequire(import.meta.url);

/** Imports modules, and records in the snapshot what they are loaded from. */
export class ModuleImporter {
  readonly #files: FileSystem;
  readonly #createJiti: CreateJiti;
  readonly #options: JitiOptions;
  /** The specifiers that were imported. */
  readonly #imported = new Set<string>();

  constructor(readonly snapshot: Snapshot = new Snapshot()) {
    const files = snapshotFileSystem(snapshot);
    this.#files = files;
    const requires = (id: string) => (/^(node:)?fs$/.test(id) ? files : require(id));
    this.#createJiti = runOfJiti("dist/jiti.cjs", requires) as CreateJiti;
    this.#options = {
      fsCache: false,
      tsconfigPaths: true,
      virtualModules: new Proxy(
        { "synapse-module-bridge": sdk },
        { has: (modules, name) => this.#isOurs(modules, name) },
      ),
      transform: compilerFor(snapshot),
    };
    recordNodeLoading(snapshot);
    holdCompiler();
  }

  #isOurs(modules: object, name: string | symbol): boolean {
    if (typeof name === "string") this.#imported.add(name);
    return name in modules;
  }

  /**
   * Finds the file to import for a module: the path itself, or the one that the folder's package.json names. A link gives the
   * file behind it, so that its imports are found where it is, as Node does it.
   */
  find(given: string, name: string): string {
    this.snapshot.owner = name;
    const file = findFile(given, this.#files);
    if (/\.d\.[cm]?ts$/.test(file)) throw new Error(`${file} has only types: name the file with the code`);
    const real = this.#files.realpathSync(file);
    // Read by both names, so that a link to another file counts as a change.
    if (real !== file && !this.snapshot.replayed(file)) readText(file, this.#files);
    return real;
  }

  /** Imports the file for the module `name`: its default export, or module.exports of CommonJS. Throws an Error for an admin. */
  async import(file: string, name: string): Promise<Imported> {
    const { snapshot } = this;
    snapshot.recordUse(file);
    const text =
      snapshot.replayed(file)?.text ?? (snapshot.replayed(file) ? "" : readText(file, this.#files));
    if (readSourceMap(file, text)) useSourceMaps();
    // jiti reads it too, and would not name it.
    if (snapshot.isRecording) meaningOptions(file);
    let exported: unknown;
    try {
      exported = await this.#import(file);
    } catch (error) {
      throw new Error(inWords(error, file), { cause: error });
    }
    if (snapshot.isRecording) recordSources(snapshot, name);
    const loaded = snapshot.filesOf(name);
    const own = loaded.filter((one) => !isOfPackage(one));
    const unfit = snapshot.isRecording ? findUnfitText(own) : undefined;
    if (unfit !== undefined) throw new Error(unfit);
    for (const code of own.flatMap((one) => snapshot.codeOf(one))) {
      for (const what of findLaterLoads(code, (one) => isBuiltin(one) || this.#imported.has(one)))
        snapshot.leaveOut(what);
    }
    return { exported, files: [...new Set([file, ...own])], packages: loaded.filter(isOfPackage) };
  }

  async #import(file: string): Promise<unknown> {
    const jiti = this.#createJiti(file, this.#options, {
      onError: fail,
      nativeImport: (id: string) => importByNode(id, this.snapshot, (one) => this.#isEsModule(one)),
      createRequire,
    });
    const exported = await jiti.import<{ default?: unknown } | undefined>(file);
    // For an ES module without a default export, jiti returns the namespace as the default.
    const isDefault = !isEsModule(exported) || "default" in exported;
    const found = isDefault ? (exported?.default ?? exported) : undefined;
    // Compilers write an `export default` so where they make CommonJS of it.
    const isCompiled = isObject(found) && Object.hasOwn(found, "__esModule") && "default" in found;
    return isCompiled ? found.default : found;
  }

  /** Whether Node takes a file for an ES module, by its extension and the nearest package.json. */
  #isEsModule(file: string): boolean {
    if (!file.endsWith(".js")) return file.endsWith(".mjs");
    for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
      const manifest = path.join(folder, "package.json");
      if (this.#files.existsSync(manifest))
        return typeOf(this.#files.readFileSync(manifest, "utf8")) === "module";
      if (folder === path.dirname(folder)) return false;
    }
  }
}

/** Stacks name the sources of compiled JavaScript, so they count as files of the module. */
function recordSources(snapshot: Snapshot, name: string): void {
  for (const file of snapshot.filesOf(name).filter((one) => !isOfPackage(one))) {
    const [text = ""] = snapshot.codeOf(file);
    for (const source of readSourceMap(file, text)?.sources ?? [])
      snapshot.recordRead(source, fs.readFileSync(source));
  }
}

function fail(error: unknown): never {
  throw error;
}

function typeOf(manifest: string): unknown {
  try {
    return JSON.parse(manifest).type;
  } catch {
    return undefined;
  }
}

/** Finds the file to load: the path itself, or the one that the folder's package.json names. */
export function findFile(given: string, files: FileSystem = fs): string {
  const kind = kindOf(given, files);
  if (kind === undefined) throw new Error(noSuchFile(given, "file or folder"));
  if (kind === "file") return given;
  const manifest = path.join(given, "package.json");
  if (!kindOf(manifest, files)) throw new Error(`the folder ${given} has no package.json`);
  const named = entryOf(manifest, files);
  if (named !== undefined) {
    const file = path.resolve(given, named);
    const found = kindOf(file, files);
    if (!found) throw new Error(`${manifest} names ${named}, which does not exist`);
    if (found === "folder") throw new Error(`${manifest} names ${named}, which is a folder`);
    return file;
  }
  const found = ENTRY_FILES.find((name) => kindOf(path.join(given, name), files));
  if (!found) throw new Error(`${manifest} names no file: add "exports" or "main"`);
  return path.join(given, found);
}

/** Whether it is an ES module, loaded by Node or compiled by jiti, and not CommonJS. */
function isEsModule(exported: unknown): exported is object {
  if (!isObject(exported)) return false;
  return Symbol.toStringTag in exported || Object.hasOwn(exported, "__esModule");
}

function entryOf(manifest: string, files: FileSystem): string | undefined {
  const { exports, main } = parse(manifest, files);
  const root = isObject(exports) && "." in exports ? exports["."] : exports;
  const named = choose(root) ?? main;
  return typeof named === "string" ? named : undefined;
}

function parse(manifest: string, files: FileSystem): Record<string, unknown> {
  const text = readText(manifest, files);
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch (error) {
    throw new Error(`${manifest} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function choose(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (!isObject(target)) return undefined;
  const condition = Object.keys(target).find((name) => CONDITIONS.includes(name) && choose(target[name]));
  return condition === undefined ? undefined : choose(target[condition]);
}

/** As `describe`. What a module throws may itself throw when it is read. */
function inWords(error: unknown, file: string): string {
  try {
    return describe(error, file);
  } catch {
    return `${file}: threw when it was loaded, and what it threw cannot be read`;
  }
}

/** Describes why an import failed. jiti names the place of a syntax error; otherwise the first frame of the module does. */
function describe(error: unknown, file: string): string {
  if (!isObject(error) || typeof error.message !== "string")
    return `${file} threw ${String(error)} when it was loaded`;
  if (error.code === "EACCES" && typeof error.path === "string") return describeDenied(error.path);
  const whole = error.message.slice(0, MOST_CHARACTERS);
  const [, code, said = "", at = ""] = COMPILER.exec(whole) ?? [];
  const json = /^(\/[^\n]+?\.json): /.exec(whole)?.[1];
  // A file that is no text at all explains more than the syntax error does.
  const unfit = findUnfitText([json, at.replace(/:\d+:\d+$/, "")]);
  if (unfit !== undefined) return unfit;
  const message = (said || whole.replace(/\nRequire stack:\n- ([^\n]*)[\s\S]*$/, " (imported by $1)"))
    .replace(/\s+/g, " ")
    .trim();
  if (code !== undefined) return `${at}: syntax error: ${message.replace(/\.$/, "")}`;
  if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND") return message;
  const folder = path.dirname(file) + path.sep;
  const frames = String(error.stack)
    .split("\n")
    .filter((line) => line.length <= MOST_CHARACTERS)
    .map((line) => /\(?((?:file:\/\/)?\/[^()]*:\d+):\d+\)?$/.exec(line)?.[1]);
  const place = frames.find((frame) => frame?.replace("file://", "").startsWith(folder)) ?? file;
  const name = typeof error.name === "string" ? error.name : "Error";
  return `${place.replace("file://", "")}: threw when it was loaded: ${name}: ${message}`;
}

function kindOf(file: string, files: FileSystem): "file" | "folder" | undefined {
  try {
    const found = files.statSync(file, { throwIfNoEntry: false });
    return found && (found.isDirectory() ? "folder" : "file");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    throw new Error(describeDenied(file), { cause: error });
  }
}

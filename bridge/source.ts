// From a path to what the file there exports: finds the file of a folder, and runs TypeScript and JavaScript through
// jiti, which gives every file the host's own SDK whether or not a node_modules is near.
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compileCache } from "./compile-cache.js";
import * as sdk from "./index.js";
import { isObject } from "./is-object.js";

const { createJiti } = createRequire(import.meta.url)("jiti") as typeof import("jiti");

const ENTRY_FILES = ["index.ts", "index.mts", "index.js", "index.mjs"];
const CONDITIONS = ["import", "node", "default", "require"];

interface Imported {
  exported: unknown;
  files: string[];
}

/** The file to load: the path itself, or what the package.json of that folder names. */
export function findFile(given: string): string {
  if (!statOf(given)) throw new Error(`there is no file or folder ${given}`);
  if (!isFolder(given)) return given;
  const manifest = path.join(given, "package.json");
  if (!statOf(manifest)) throw new Error(`the folder ${given} has no package.json`);
  const named = entryOf(manifest);
  if (named !== undefined) {
    const file = path.resolve(given, named);
    if (!statOf(file)) throw new Error(`${manifest} names ${named}, which does not exist`);
    return file;
  }
  const found = ENTRY_FILES.find((name) => statOf(path.join(given, name)));
  if (!found) throw new Error(`${manifest} names no file: add "exports" or "main"`);
  return path.join(given, found);
}

/** What the file exports by default (of CommonJS its module.exports), and the files that were loaded for it. */
export async function importFile(file: string): Promise<Imported> {
  const folder = cacheFolder();
  try {
    return await importWith(file, folder).catch((error) => {
      // A full disk is no reason not to run a module.
      if (folder !== undefined && isOfCache(error, folder)) return importWith(file, undefined);
      throw error;
    });
  } catch (error) {
    throw new Error(describe(error, file), { cause: error });
  }
}

let cache: { folder: string | undefined } | undefined;

/** Found once for all modules. */
function cacheFolder(): string | undefined {
  cache ??= { folder: compileCache() };
  return cache.folder;
}

async function importWith(file: string, cache: string | undefined): Promise<Imported> {
  const jiti = createJiti(file, {
    fsCache: cache ?? false,
    tsconfigPaths: true,
    virtualModules: { "synapse-module-bridge": sdk },
  });
  const exported = await jiti.import<{ default?: unknown } | undefined>(file);
  // jiti gives an ES module without a default export itself as its default.
  const isDefault = !isEsModule(exported) || "default" in exported;
  return {
    exported: isDefault ? (exported?.default ?? exported) : undefined,
    files: filesOf(file, Object.keys(jiti.cache)),
  };
}

/** Whether it comes of writing to the cache: of a failed write Node does not tell the file. */
function isOfCache(error: unknown, cache: string): boolean {
  const { code, path: at } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return at?.startsWith(cache + path.sep) ?? ["ENOSPC", "EDQUOT", "EFBIG", "EIO"].includes(code ?? "");
}

/** As Node loaded it, or as jiti compiled it; CommonJS is neither. */
function isEsModule(exported: unknown): exported is object {
  if (!isObject(exported)) return false;
  return Symbol.toStringTag in exported || Object.hasOwn(exported, "__esModule");
}

/** The files of a module among all that were loaded: those in its folder and below that belong to no package. */
function filesOf(file: string, loaded: readonly string[]): string[] {
  const folder = path.dirname(file) + path.sep;
  const own = loaded.filter(
    (one) => one.startsWith(folder) && !one.includes(`${path.sep}node_modules${path.sep}`),
  );
  return [...new Set([file, ...own])];
}

function entryOf(manifest: string): string | undefined {
  const { exports, main } = parse(manifest);
  const root = isObject(exports) && "." in exports ? exports["."] : exports;
  const named = choose(root) ?? main;
  return typeof named === "string" ? named : undefined;
}

function parse(manifest: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(manifest, "utf8"));
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

/** jiti's syntax errors name file and line; for others the first frame in the author's code does. */
function describe(error: unknown, file: string): string {
  if (!isObject(error) || typeof error.message !== "string")
    return `${file} threw ${String(error)} when it was loaded`;
  const message = error.message
    .replace(/\nRequire stack:\n- ([^\n]*)[\s\S]*$/, " (imported by $1)")
    .replace(/\s+/g, " ")
    .trim();
  if (/^ParseError:/.test(message))
    return message.replace(/^ParseError:\s*(.*?)\.?\s+(\S+:\d+:\d+)$/, "$2: syntax error: $1");
  if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND") return message;
  const folder = path.dirname(file) + path.sep;
  const frames = String(error.stack)
    .split("\n")
    .map((line) => /\(?((?:file:\/\/)?\/[^()]*:\d+):\d+\)?$/.exec(line)?.[1]);
  const place = frames.find((frame) => frame?.replace("file://", "").startsWith(folder)) ?? file;
  const name = typeof error.name === "string" ? error.name : "Error";
  return `${place.replace("file://", "")}: threw when it was loaded: ${name}: ${message}`;
}

function statOf(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(file: string): boolean {
  return statSync(file).isDirectory();
}

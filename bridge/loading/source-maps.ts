// Lets stacks name the sources of a module that its author has compiled to JavaScript, by the source map beside it. (What the
// bridge compiles itself keeps its lines.)
import { readFileSync, statSync } from "node:fs";
import Module from "node:module";
import path from "node:path";
import { isObject } from "../base/is-object.js";

const COMMENT = /^\/\/# sourceMappingURL=(\S+)\s*$/m;
const INLINE = /^data:application\/json;(?:charset=utf-?8;)?base64,/;

interface NewerModule {
  setSourceMapsSupport?(enabled: boolean, options: { nodeModules: boolean; generatedCode: boolean }): void;
}

/** Makes Node use the source maps of JavaScript that is loaded from now on. */
export function useSourceMaps(): void {
  // Newer versions of Node can leave out the maps of packages, which may be large.
  const { setSourceMapsSupport } = Module as unknown as NewerModule;
  if (setSourceMapsSupport) setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  else process.setSourceMapsEnabled(true);
}

/** A source map, with the absolute paths of its sources. */
export interface SourceMap {
  sources: string[];
  mappings: string;
}

/** The source map of a JavaScript file; undefined if one of its sources is not there for a reader of the stack. */
export function readSourceMap(file: string, text: string): SourceMap | undefined {
  // The comment is in one of the last lines.
  const [, url] = COMMENT.exec(text.slice(text.lastIndexOf("\n//#") + 1)) ?? [];
  if (url === undefined || !/\.[cm]?js$/.test(file)) return undefined;
  const map = parse(url, path.dirname(file));
  return map?.sources.every(isFile) ? map : undefined;
}

/** Throws an Error for what is no file, such as a device, which may have no end. */
function textOf(file: string): string {
  if (!isFile(file)) throw new Error(`${file} is no file`);
  return readFileSync(file, "utf8");
}

/** A source without a name would be a folder. */
function isFile(source: string): boolean {
  try {
    return statSync(source).isFile();
  } catch {
    return false;
  }
}

function parse(url: string, folder: string): SourceMap | undefined {
  try {
    const map: unknown = JSON.parse(
      INLINE.test(url)
        ? Buffer.from(url.replace(INLINE, ""), "base64").toString("utf8")
        : textOf(path.resolve(folder, decodeURIComponent(url))),
    );
    if (!isObject(map) || !Array.isArray(map.sources) || typeof map.mappings !== "string") return undefined;
    const root = typeof map.sourceRoot === "string" ? map.sourceRoot : "";
    const sources = map.sources.filter((source) => typeof source === "string");
    return { sources: sources.map((source) => path.resolve(folder, root, source)), mappings: map.mappings };
  } catch {
    return undefined; // without its map, it runs all the same
  }
}

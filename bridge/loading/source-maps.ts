// Lets stacks name the sources of a module that its author has compiled to JavaScript, by the source map beside it. (What the
// bridge compiles itself keeps its lines.)
import { existsSync, readFileSync } from "node:fs";
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

/** The sources of a JavaScript file by its source map; none if one of them is not there for a reader of the stack. */
export function findSources(file: string, text: string): string[] {
  // The comment is in one of the last lines.
  const [, url] = COMMENT.exec(text.slice(text.lastIndexOf("\n//#") + 1)) ?? [];
  if (url === undefined || !/\.[cm]?js$/.test(file)) return [];
  const sources = readSources(url, path.dirname(file));
  return sources.every((source) => existsSync(source)) ? sources : [];
}

function readSources(url: string, folder: string): string[] {
  try {
    const json = INLINE.test(url)
      ? Buffer.from(url.replace(INLINE, ""), "base64").toString("utf8")
      : readFileSync(path.resolve(folder, decodeURIComponent(url)), "utf8");
    const map: unknown = JSON.parse(json);
    if (!isObject(map) || !Array.isArray(map.sources)) return [];
    const root = typeof map.sourceRoot === "string" ? map.sourceRoot : "";
    return map.sources
      .filter((source) => typeof source === "string")
      .map((source) => path.resolve(folder, root, source));
  } catch {
    return []; // without its map, it runs all the same
  }
}

// Gives jiti the code of TypeScript files (and of ES modules that Node itself cannot load): from the snapshot, from the cache
// on disk, or else from the compiler.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compileFunction } from "node:vm";
import type { Cache } from "get-tsconfig";
import type { TransformOptions, TransformResult } from "jiti";
import { VERSION } from "../base/version.js";
import type { CompileRequest, SourceFault } from "../compiler/request.js";
import { compileCache, readCompiled, writeCompiled } from "./compile-cache.js";
import { compileInThread } from "./compile-thread.js";
import { isOfPackage, type Snapshot } from "./snapshot.js";
import { readSourceMap } from "./source-maps.js";
import { meaningOptions } from "./tsconfig.js";

type Transform = (options: TransformOptions) => TransformResult;

const require = createRequire(import.meta.url);
const JITI = path.dirname(require.resolve("jiti/package.json"));
const { version } = require("jiti/package.json") as { version: string };
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** Runs a CommonJS file of jiti with the given `require`, and returns its exports. */
export function runOfJiti(name: string, requires: (id: string) => unknown): unknown {
  const filename = path.join(JITI, name);
  const module: { exports: unknown } = { exports: {} };
  const run = compileFunction(readFileSync(filename, "utf8"), ["exports", "require", "module"], { filename });
  run.call(module.exports, module.exports, requires, module);
  return module.exports;
}

/** Returns the function that jiti calls to compile. */
export function compilerFor(snapshot: Snapshot): Transform {
  const folder = compileCache();
  const tsconfigs: Cache = new Map();
  return ({ filename = "", source, async = false, interopDefault = false }) => {
    const way = async ? "import" : "require";
    const known = snapshot.replayed(filename)?.code?.[way];
    if (known !== undefined) return { code: known };
    const isPlain = isOfPackage(filename) && !TYPESCRIPT.test(filename);
    const options = isPlain ? undefined : meaningOptions(filename, tsconfigs);
    const compiledFrom = isPlain ? undefined : onlySource(filename, source);
    const request: CompileRequest = { filename, source, async, interopDefault, options, compiledFrom };
    const key = keyOf(request);
    const cached = folder === undefined ? undefined : readCompiled(folder, key);
    const result = cached === undefined ? compileInThread(request, folder) : { code: cached };
    if ("fault" in result) return { code: codeOfFault(filename, result.fault), error: result.fault };
    snapshot.recordCompiled(filename, way, result.code);
    if (compiledFrom) snapshot.recordRead(compiledFrom.source, readFileSync(compiledFrom.source));
    if (folder !== undefined && cached === undefined) writeCompiled(folder, key, result.code);
    return result;
  };
}

/** Stacks name the source of JavaScript that its author has compiled, if it is one, with a path that V8 takes for a name. */
function onlySource(file: string, text: string): CompileRequest["compiledFrom"] {
  const { sources = [], mappings = "" } = readSourceMap(file, text) ?? {};
  const [source = "", ...others] = sources;
  return source === "" || others.length > 0 || /\s/.test(source) ? undefined : { source, mappings };
}

function keyOf(request: CompileRequest): string {
  return createHash("sha256")
    .update(JSON.stringify([VERSION, version, request]))
    .digest("hex");
}

/** What jiti's own compiler returns for a fault. jiti throws it as an error. */
function codeOfFault(filename: string, fault: SourceFault): string {
  return `exports.__JITI_ERROR__ = ${JSON.stringify({ ...fault, filename, code: "SyntaxError" })}`;
}

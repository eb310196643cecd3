// Compiles TypeScript (and ES modules that Node itself cannot load) with jiti's Babel. It loads Babel at the first need,
// since Babel takes half of the start-up time and a third of the memory.
import { createHash } from "node:crypto";
import { openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compileFunction } from "node:vm";
import type { TransformOptions, TransformResult } from "jiti";
import { compileCache, readCompiled, writeCompiled } from "./compile-cache.js";
import type { Snapshot } from "./snapshot.js";

type Transform = (options: TransformOptions) => TransformResult;

const require = createRequire(import.meta.url);
const JITI = path.dirname(require.resolve("jiti/package.json"));
const COMPILER = "dist/babel.cjs";
const { version } = require("jiti/package.json") as { version: string };

/** Runs a CommonJS file of jiti with the given `require`, and returns its exports. */
export function runOfJiti(name: string, requires: (id: string) => unknown, text?: string): unknown {
  const filename = path.join(JITI, name);
  const module: { exports: unknown } = { exports: {} };
  const code = text ?? readFileSync(filename, "utf8");
  const run = compileFunction(code, ["exports", "require", "module"], { filename });
  run.call(module.exports, module.exports, requires, module);
  return module.exports;
}

/** Returns the function that jiti calls to compile. It takes code from the snapshot, then from the cache on disk. */
export function compilerFor(snapshot: Snapshot): Transform {
  const folder = compileCache();
  return (options) => {
    const { filename = "", async = false } = options;
    const way = async ? "import" : "require";
    const known = snapshot.replayed(filename)?.code?.[way];
    if (known !== undefined) return { code: known };
    const key = keyOf(options);
    const cached = folder === undefined ? undefined : readCompiled(folder, key);
    const result = cached === undefined ? loadCompiler()(options) : { code: cached };
    if (!result.error && !result.code.includes("__JITI_ERROR__")) {
      snapshot.recordCompiled(filename, way, result.code);
      if (folder !== undefined && cached === undefined) writeCompiled(folder, key, result.code);
    }
    return result;
  };
}

function keyOf({ filename, source, async, ts, jsx, interopDefault }: TransformOptions): string {
  const what = JSON.stringify([version, filename, async, ts, jsx, interopDefault, source]);
  return createHash("sha256").update(what).digest("hex");
}

let compiler: Transform | undefined;
let descriptor: number | undefined;

/** Opens the compiler's file, so that it can be loaded later even if the file is removed: modules can import at any time. */
export function holdCompiler(): void {
  descriptor ??= openSync(path.join(JITI, COMPILER), "r");
}

function loadCompiler(): Transform {
  holdCompiler();
  compiler ??= runOfJiti(COMPILER, require, readFileSync(descriptor as number, "utf8")) as Transform;
  return compiler;
}

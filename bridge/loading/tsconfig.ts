// Reads what an author's tsconfig.json says about the meaning of the code, such as which decorators it has.
import path from "node:path";
import { type Cache, getTsconfig } from "get-tsconfig";
import type { MeaningOptions } from "../compiler/request.js";

const MEANING: readonly (keyof MeaningOptions)[] = [
  "experimentalDecorators",
  "emitDecoratorMetadata",
  "useDefineForClassFields",
  "verbatimModuleSyntax",
  "target",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
];

/** The options of the nearest tsconfig.json above a file, and of those that it extends. Throws an Error if it cannot be read. */
export function meaningOptions(file: string, cache: Cache): MeaningOptions {
  const options: object =
    getTsconfig(path.dirname(file), "tsconfig.json", cache)?.config.compilerOptions ?? {};
  return Object.fromEntries(Object.entries(options).filter(([name]) => (MEANING as string[]).includes(name)));
}

// Reads what an author's tsconfig.json says about the meaning of the code, such as which decorators it has.
import path from "node:path";
import { type Cache, findTsconfig, getTsconfig } from "get-tsconfig";
import type { MeaningOptions } from "../compiler/request.js";

const NAME = "tsconfig.json";
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

/** The options of the nearest tsconfig.json above a file, and of those that it extends. Throws an Error if it cannot be used. */
export function meaningOptions(file: string, cache: Cache = new Map()): MeaningOptions {
  const folder = path.dirname(file);
  try {
    const options: object = getTsconfig(folder, NAME, cache)?.config.compilerOptions ?? {};
    return Object.fromEntries(
      Object.entries(options).filter(([name]) => (MEANING as string[]).includes(name)),
    );
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${findTsconfig(folder, NAME)}, which says how ${file} is compiled: ${message}`, {
      cause: error,
    });
  }
}

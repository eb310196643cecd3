// The error of modules that cannot be loaded: all that is wrong with them.
import type { StartupProblem } from "../catalogue/protocol.js";
import { placeInConfig } from "../declarations/module.js";

export class LoadProblems extends Error {
  constructor(readonly problems: readonly StartupProblem[]) {
    super(problems.map((problem) => placeInConfig(problem) + problem.message).join("\n"));
    // Not enumerable, so that runners show the message alone.
    Object.defineProperty(this, "problems", { value: problems });
  }
}

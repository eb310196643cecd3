// The error of modules that cannot be loaded: all that is wrong with them.
import type { StartupProblem } from "../catalogue/protocol.js";

export class LoadProblems extends Error {
  constructor(readonly problems: readonly StartupProblem[]) {
    super(problems.map(inWords).join("\n"));
    // Not enumerable, so that runners show the message alone.
    Object.defineProperty(this, "problems", { value: problems });
  }
}

/** A startup problem, with its place in the config where that helps. */
function inWords({ path: at, message }: StartupProblem): string {
  return at[2] === "config" ? `config ${at.slice(3).join(".")}: ${message}` : message;
}

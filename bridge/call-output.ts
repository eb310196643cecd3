// Keeps standard output for the answer of `call`: whatever a module or its children print goes to standard error. It must
// run before anything touches process.stdout.
import { Console } from "node:console";
import { constants, openSync, writeSync } from "node:fs";
import { descriptors, openStandardError, replace } from "./wire.js";

/** Gives the function that writes the answer. */
export function takeOutput(): (text: string) => void {
  const folder = descriptors();
  let output: number;
  try {
    output = openSync(`${folder}/1`, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    // A socket cannot be opened anew: what is written to the descriptor itself is then not kept out.
    globalThis.console = new Console(process.stderr, process.stderr);
    return (text) => process.stdout.write(text);
  }
  replace(1, () => openStandardError(folder));
  return (text) => {
    for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(output, rest));
  };
}

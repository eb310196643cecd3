// Determines how much memory a thread may use: the limit that the configuration sets for Node's heap, else a fixed amount.
import { setFlagsFromString } from "node:v8";

const MIB = 1024 * 1024;
const DEFAULT = 256 * MIB;
const FLAG = "--max-old-space-size";

/** Returns the limit in bytes. Must be called once, before the process creates threads. */
export function threadMemory(): number {
  const given = process.execArgv.find((arg) => arg.startsWith(`${FLAG}=`));
  const megabytes = Number(given?.slice(FLAG.length + 1));
  if (!(megabytes > 0)) return DEFAULT;
  // The main thread's heap has been created with this flag. In other threads the flag would override their own limits.
  setFlagsFromString(`${FLAG}=0`);
  return megabytes * MIB;
}

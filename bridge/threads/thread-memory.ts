// How much memory a thread may use: as much as Node's own heap where the configuration limits that, else a fixed amount.
import { setFlagsFromString } from "node:v8";

const MIB = 1024 * 1024;
const DEFAULT = 256 * MIB;
const FLAG = "--max-old-space-size";

/** In bytes. To be called once in the process, before it makes threads. */
export function threadMemory(): number {
  const given = process.execArgv.find((arg) => arg.startsWith(`${FLAG}=`));
  const megabytes = Number(given?.slice(FLAG.length + 1));
  if (!(megabytes > 0)) return DEFAULT;
  // The heap of this thread has been made with it. For other threads it would go before their own limits.
  setFlagsFromString(`${FLAG}=0`);
  return megabytes * MIB;
}

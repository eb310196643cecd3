// Lets every loop of JavaScript be interrupted, and with that every thread be ended, whatever loop it is in.
import { setFlagsFromString } from "node:v8";

// V8 13.6 leaves the check for interrupts out of some loops that it unrolls, such as one that only fills arrays: no
// `terminate()` and no limit of the heap ends it then, until the heap of all of Node is full.
const UNROLLS = 24;

/** To be called once in the process, before it makes threads. */
export function makeLoopsInterruptible(): void {
  if (Number.parseInt(process.versions.node, 10) >= UNROLLS)
    setFlagsFromString("--no-turboshaft-loop-unrolling");
}

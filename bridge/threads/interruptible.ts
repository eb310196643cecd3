// Makes every JavaScript loop interruptible, so that a thread can be ended in any loop.
import { setFlagsFromString } from "node:v8";

// V8 13.6 removes the interrupt check from some loops that it unrolls, such as one that only fills arrays. Then neither
// `terminate()` nor the heap limit ends the loop, until the heap of the whole process is full.
const UNROLLS = 24;

/** Must be called once, before the process creates threads. */
export function makeLoopsInterruptible(): void {
  if (Number.parseInt(process.versions.node, 10) >= UNROLLS)
    setFlagsFromString("--no-turboshaft-loop-unrolling");
}

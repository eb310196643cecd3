// What modules were loaded from, part by part: those that were loaded together, on the main thread or in a thread, are one.

import { LIMITS, type Part } from "../catalogue/protocol.js";
import { Snapshot } from "./snapshot.js";

/** The parts that it takes to load these modules. */
export function partsOf(parts: readonly Part[], names: readonly string[]): Part[] {
  return parts.filter((part) => part.names.some((name) => names.includes(name)));
}

interface Fitting {
  parts: Part[];
  /** The modules of parts that were too large: a restart loads them from disk. */
  dropped: string[];
}

/** Keeps of the largest parts nothing but digests, until all is small enough. `warn` is told of their modules. */
export function withinLimit(
  parts: readonly Part[],
  warn: (message: string) => void,
  most: number = LIMITS.snapshot_characters,
): Fitting {
  const fitting = [...parts];
  const dropped: string[] = [];
  const bySize = [...parts.keys()].sort((a, b) => sizeOf(parts, b) - sizeOf(parts, a));
  for (const index of bySize) {
    if (sum(fitting) <= most) break;
    const { names, text } = fitting[index] as Part;
    warn(
      `${names.join(", ")}: what it was loaded from is too large to be kept: a restart of Node takes it from disk`,
    );
    fitting[index] = { names, text: digestsOf(text) };
    dropped.push(...names);
  }
  return { parts: fitting, dropped };
}

function digestsOf(text: string): string {
  const snapshot = Snapshot.from([{ text }]);
  snapshot.keepOnlyDigests();
  return snapshot.serialize(() => {});
}

function sizeOf(parts: readonly Part[], index: number): number {
  return parts[index]?.text.length ?? 0;
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((size, { text }) => size + text.length, 0);
}

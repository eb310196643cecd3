// Handles the parts of a snapshot. A part is what the modules of one thread were loaded from.

import { LIMITS, type Part } from "../catalogue/protocol.js";
import { Snapshot } from "./snapshot.js";

/** Returns the parts that are needed to load these modules. */
export function partsOf(parts: readonly Part[], names: readonly string[]): Part[] {
  return parts.filter((part) => part.names.some((name) => names.includes(name)));
}

interface Fitting {
  parts: Part[];
  /** The modules of parts that were too large. A restart loads them from disk. */
  dropped: string[];
}

/** Reduces the largest parts to digests until all parts fit together. `warn` gets a message about each of them. */
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

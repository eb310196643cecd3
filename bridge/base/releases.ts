// Compares releases of Synapse, such as 1.132.0rc1, and has the oldest on which the bridge works.

/** The oldest Synapse on which the bridge works. */
export const OLDEST_SYNAPSE = "1.100.0";

/** A release candidate counts as its release. What a version leaves out counts as equal: 1.132 is not older than 1.132.1. */
export function isOlder(version: string, than: string): boolean {
  const [mine, other] = [numbersOf(version), numbersOf(than)];
  for (const [index, number] of other.entries()) {
    const own = mine[index];
    if (own === undefined || own === number) continue;
    return own < number;
  }
  return false;
}

/** Throws an Error for what is no version of Synapse, or is older than the bridge needs. */
export function requireRelease(version: string): void {
  if (!/^\d+\.\d+\.\d+(rc\d+)?$/.test(version))
    throw new Error(`${version} is no version of Synapse: give one such as 1.130.0`);
  const problem = whyTooOld(version);
  if (problem !== undefined) throw new Error(problem);
}

export function whyTooOld(version: string): string | undefined {
  if (!isOlder(version, OLDEST_SYNAPSE)) return undefined;
  return `Synapse ${version} is too old: the bridge needs ${OLDEST_SYNAPSE} or newer`;
}

function numbersOf(version: string): number[] {
  return (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

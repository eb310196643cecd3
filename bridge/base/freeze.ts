// Makes JSON values read-only, including all values inside them.

/** Freezes without recursion: the sender of an event decides how deep it is nested. */
export function deepFreeze<T>(value: T): T {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== "object" || one === null || Object.isFrozen(one)) continue;
    Object.freeze(one);
    for (const inner of Object.values(one)) if (typeof inner === "object" && inner !== null) left.push(inner);
  }
  return value;
}

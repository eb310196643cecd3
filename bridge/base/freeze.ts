// Makes JSON values read-only, including all values inside them.

/** Freezes without recursion: the sender of an event decides how deep it is nested. */
export function deepFreeze<T>(value: T): T {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== "object" || one === null || Object.isFrozen(one)) continue;
    Object.freeze(one);
    // Object.values would take longer, and each call has an event.
    if (Array.isArray(one)) for (const inner of one) left.push(inner);
    else for (const key in one) left.push((one as Record<string, unknown>)[key]);
  }
  return value;
}

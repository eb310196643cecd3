// Writes and copies JSON values that JSON.stringify and structuredClone cannot handle: values of any depth, and values with
// rare numbers. A rare number is Infinity, -Infinity or -0: users can write them, as 1e400 and -0.0. Other values take the
// fast path.

const EXACT = Symbol("exact");

/** Marks a result so that messageJson writes it exactly, if this value in it has a rare number. The mark is not written. */
export function markExact<Result extends object>(result: Result, value: unknown): Result {
  const needed = typeof value === "object" && value !== null && holdsRareNumber(value);
  return needed ? { ...result, [EXACT]: true } : result;
}

/**
 * Like JSON.stringify, but writes a marked result exactly, and a message of any depth. Returns undefined for a message that
 * is longer than a string can be.
 */
export function messageJson(message: object): string | undefined {
  const { result } = message as { result?: unknown };
  const marked = typeof result === "object" && result !== null && EXACT in result;
  try {
    return marked ? writeExactly(message) : toJson(message);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Like JSON.stringify, but keeps rare numbers and takes any depth. */
export function exactJson(value: unknown): string {
  return holdsRareNumber(value) ? writeExactly(value) : toJson(value);
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return writeExactly(value);
    throw error;
  }
}

/** Whether it is a number that JSON can express, but that JSON.stringify changes. */
export function isRareNumber(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY || Object.is(value, -0);
}

/** Whether a rare number is anywhere in a JSON value. */
export function holdsRareNumber(value: unknown): boolean {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === "number" && isRareNumber(one)) return true;
    if (typeof one !== "object" || one === null) continue;
    if (Array.isArray(one)) for (const inner of one) left.push(inner);
    else for (const key in one) left.push((one as Record<string, unknown>)[key]);
  }
  return false;
}

/** An object or list that is being written: its values, their keys (of an object), and the index of the next one. */
interface Open {
  values: unknown[];
  keys: string[] | undefined;
  next: number;
}

function writeExactly(value: unknown): string {
  const pieces: string[] = [];
  const opened: Open[] = [];
  let one = value;
  for (;;) {
    if (typeof one === "object" && one !== null) {
      const keys = Array.isArray(one) ? undefined : keysOf(one);
      const values = keys ? keys.map((key) => (one as Record<string, unknown>)[key]) : (one as unknown[]);
      opened.push({ values, keys, next: 0 });
      pieces.push(keys ? "{" : "[");
    } else pieces.push(leaf(one));
    let top = opened.at(-1);
    while (top && top.next === top.values.length) {
      pieces.push(top.keys ? "}" : "]");
      opened.pop();
      top = opened.at(-1);
    }
    if (!top) return pieces.join("");
    if (top.next > 0) pieces.push(",");
    if (top.keys) pieces.push(JSON.stringify(top.keys[top.next]), ":");
    one = top.values[top.next++];
  }
}

/** The keys whose value is not undefined, as JSON.stringify counts them. */
function keysOf(value: object): string[] {
  return Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
}

function leaf(value: unknown): string {
  if (typeof value !== "number" || !isRareNumber(value)) return JSON.stringify(value ?? null);
  if (value === 0) return "-0.0";
  return value > 0 ? "1e400" : "-1e400";
}

/** Like structuredClone of a JSON value, but takes any depth. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const whole = shallowCopy(value);
  // Copies whose values are still those of the original.
  const left: object[] = [whole];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (Array.isArray(one)) {
      for (const [index, inner] of one.entries()) {
        if (typeof inner !== "object" || inner === null) continue;
        const copy = shallowCopy(inner);
        one[index] = copy;
        left.push(copy);
      }
      continue;
    }
    for (const [key, inner] of Object.entries(one)) {
      if (typeof inner !== "object" || inner === null) continue;
      const copy = shallowCopy(inner);
      // An assignment to __proto__ would set the prototype.
      Object.defineProperty(one, key, { value: copy });
      left.push(copy);
    }
  }
  return whole as T;
}

function shallowCopy(value: object): object {
  return Array.isArray(value) ? value.slice() : { ...value };
}

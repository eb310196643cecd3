// Tells whether a value arrives at the other end as it is here: JSON would drop or change the rest without a word.

// Deeper than any event that Synapse accepts, and far from what would overflow the stack.
const MAX_DEPTH = 200;

/** What JSON would change or refuse, with its place; undefined if the value would arrive as it is. */
export function survivesJson(value: unknown): string | undefined {
  return inspect(value, "", []);
}

function inspect(value: unknown, at: string, above: object[]): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${at} is ${value}`;
    case "object":
      if (value === null) return undefined;
      break;
    default:
      return `${at} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  }
  if (above.includes(value)) return `${at} is part of itself`;
  if (above.length >= MAX_DEPTH) return `${at.slice(0, 60)}... is nested deeper than ${MAX_DEPTH}`;
  above.push(value);
  const problem = Array.isArray(value) ? inspectArray(value, at, above) : inspectObject(value, at, above);
  above.pop();
  return problem;
}

function inspectArray(value: unknown[], at: string, above: object[]): string | undefined {
  for (let index = 0; index < value.length; index++) {
    const problem = inspect(value[index], `${at}[${index}]`, above);
    if (problem) return problem;
  }
  return undefined;
}

function inspectObject(value: object, at: string, above: object[]): string | undefined {
  // By what it inherits and not by Object.prototype itself: the value may come from another realm.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return `${at} is a ${prototype.constructor?.name ?? "class instance"}`;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const problem = inspect(
      inner,
      `${at}${/^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`}`,
      above,
    );
    if (problem) return problem;
  }
  return undefined;
}

// Tells whether a value arrives at the other end as it is here: JSON would drop or change the rest without a word.

// Deeper than any event that Synapse accepts, and far from what would overflow the stack.
const MAX_DEPTH = 200;

/** What JSON would change or refuse, as `content.when is a Date`; undefined if the value would arrive as it is. */
export function whatJsonLoses(value: unknown): string | undefined {
  const loss = inspect(value, []);
  if (!loss) return undefined;
  const place = loss.path.replace(/^\./, "") || "it";
  return `${place.length > 80 ? `${place.slice(0, 80)}...` : place} is ${loss.what}`;
}

interface Loss {
  path: string;
  what: string;
}

function inspect(value: unknown, above: object[]): Loss | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path: "", what: String(value) };
    case "object":
      if (value === null) return undefined;
      break;
    default:
      return { path: "", what: value === undefined ? "undefined" : `a ${typeof value}` };
  }
  if (above.includes(value)) return { path: "", what: "part of itself" };
  if (above.length >= MAX_DEPTH) return { path: "", what: `nested deeper than ${MAX_DEPTH}` };
  above.push(value);
  const loss = Array.isArray(value) ? inspectArray(value, above) : inspectObject(value, above);
  above.pop();
  return loss;
}

function inspectArray(value: unknown[], above: object[]): Loss | undefined {
  // By index: a list's holes become null.
  for (let index = 0; index < value.length; index++) {
    const loss = inspect(value[index], above);
    if (loss) return { ...loss, path: `[${index}]${loss.path}` };
  }
  return undefined;
}

function inspectObject(value: object, above: object[]): Loss | undefined {
  // By what it inherits and not by Object.prototype itself: the value may come from another realm.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return { path: "", what: `a ${prototype.constructor?.name ?? "class instance"}` };
  }
  for (const [key, inner] of Object.entries(value)) {
    // As an absent key.
    if (inner === undefined) continue;
    const loss = inspect(inner, above);
    if (!loss) continue;
    const step = /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    return { ...loss, path: step + loss.path };
  }
  return undefined;
}

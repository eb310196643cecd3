// Checks that a value survives a trip through JSON: JSON.stringify silently drops or changes values that JSON cannot express.
import { inspect } from "node:util";
import { isRareNumber } from "./exact-json.js";

/** Describes what JSON would change or refuse, such as `content.when is a Date`; undefined if the value survives. */
export function whatJsonLoses(
  value: unknown,
  // Which rare numbers (see exact-json.ts) to accept. By default -0, since 0 is the same for most purposes.
  letsThrough: (number: number) => boolean = (number) => number === 0,
): string | undefined {
  if (typeof value !== "object" || value === null) {
    const loss = lossOfLeaf(value, letsThrough);
    return loss && `it is ${loss}`;
  }
  const above: Open[] = [];
  const inside = new Set<object>();
  const lostAt = (what: string, ...steps: string[]) => `${placeOf(above, steps)} is ${what}`;
  let one: unknown = value;
  for (;;) {
    if (typeof one === "object" && one !== null) {
      const node = one;
      if (inside.has(node)) return lostAt("part of itself");
      const open = { node, keys: Array.isArray(node) ? undefined : Object.keys(node), next: 0 };
      const loss = open.keys ? lossOfObject(node, open.keys) : lossOfList(node);
      if (loss) return lostAt(loss.what, ...loss.steps);
      above.push(open);
      inside.add(node);
    } else {
      const loss = lossOfLeaf(one, letsThrough);
      if (loss) return lostAt(loss);
    }
    for (;;) {
      const top = above.at(-1);
      if (!top) return undefined;
      const { node, keys } = top;
      if (top.next < (keys ?? (node as unknown[])).length) {
        one = (node as Record<string, unknown>)[keys ? (keys[top.next] as string) : top.next];
        top.next++;
        // In an object, undefined is the same as an absent key.
        if (one === undefined && keys) continue;
        break;
      }
      above.pop();
      inside.delete(node);
      const named = keys ? undefined : namedProperty(node as unknown[]);
      if (named !== undefined) return lostAt("a named property of a list", step(named));
    }
  }
}

/** An object or list that is being searched, and the index of its next value. */
interface Open {
  node: object;
  keys: string[] | undefined;
  next: number;
}

function lossOfLeaf(value: unknown, letsThrough: (number: number) => boolean): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return undefined;
      if (isRareNumber(value) && letsThrough(value)) return undefined;
      return Object.is(value, -0) ? "-0" : String(value);
    default:
      if (value === null) return undefined;
      return value === undefined ? "undefined" : `a ${typeof value}`;
  }
}

interface Loss {
  what: string;
  steps: string[];
}

/** Counts the prototypes instead of comparing with Object.prototype: the value may come from another realm. */
function lossOfClass(value: object, inherits: number): Loss | undefined {
  const prototype = Object.getPrototypeOf(value);
  let above = prototype;
  for (let times = 0; times < inherits && above !== null; times++) above = Object.getPrototypeOf(above);
  return above === null
    ? undefined
    : { what: `a ${prototype.constructor?.name ?? "class instance"}`, steps: [] };
}

function lossOfList(value: object): Loss | undefined {
  return lossOfClass(value, 2);
}

function lossOfObject(value: object, keys: string[]): Loss | undefined {
  const loss = lossOfClass(value, 1);
  if (loss) return loss;
  if (Reflect.ownKeys(value).length > keys.length) {
    const known = new Set<string | symbol>(keys);
    const others = Reflect.ownKeys(value).filter((key) => !known.has(key));
    const hidden = others.find(
      (key) => !Object.prototype.propertyIsEnumerable.call(value, key) && !isOfImport(value, key),
    );
    if (hidden !== undefined) return { what: "not enumerable", steps: [step(hidden)] };
    if (others.some((key) => typeof key === "symbol"))
      return { what: "an object with a symbol for a key", steps: [] };
  }
  const computed = keys.find((key) => !("value" in (Object.getOwnPropertyDescriptor(value, key) ?? {})));
  return computed === undefined ? undefined : { what: "a getter", steps: [step(computed)] };
}

// Listing the keys of longer lists would take more memory than the lists themselves.
const SHORT = 1_000;
const BARE = { maxArrayLength: 0, depth: 0, showHidden: true, customInspect: false } as const;

/** Finds a key of a list that is not an index. No element of the list is missing. */
function namedProperty(list: unknown[]): string | symbol | undefined {
  if (list.length > SHORT) {
    // inspect shows the other keys without listing the indices.
    const bare: unknown[] = [];
    bare.length = list.length;
    if (inspect(list, BARE) === inspect(bare, BARE)) return undefined;
  }
  const { length } = list;
  return Reflect.ownKeys(list).find(
    (key, at) => key !== (at < length ? String(at) : "length") && !isOfImport(list, key),
  );
}

/** Whether a JSON file that a module imports has got this key from the loader: itself as its default export, hidden. */
function isOfImport(value: object, key: string | symbol): boolean {
  const { value: own, enumerable } = Object.getOwnPropertyDescriptor(value, key) ?? {};
  return key === "default" && own === value && enumerable === false;
}

function step(key: string | symbol): string {
  if (typeof key === "symbol") return `[${String(key)}]`;
  return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function placeOf(above: Open[], more: string[]): string {
  const steps = above.map(({ keys, next }) => (keys ? step(keys[next - 1] as string) : `[${next - 1}]`));
  const place = [...steps, ...more].join("").replace(/^\./, "") || "it";
  return place.length > 80 ? `${place.slice(0, 80)}...` : place;
}

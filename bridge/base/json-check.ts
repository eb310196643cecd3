// Tells whether a value arrives at the other end as it is here: JSON would drop or change the rest without a word.
import { inspect } from "node:util";
import { isRareNumber } from "./exact-json.js";

/** What JSON would change or refuse, as `content.when is a Date`; undefined if the value would arrive as it is. */
export function whatJsonLoses(
  value: unknown,
  // Which of the rare numbers are let through (see exact-json.ts): 0 for -0 is the same to most.
  letsThrough: (number: number) => boolean = (number) => number === 0,
): string | undefined {
  const above: Open[] = [];
  const inside = new Set<object>();
  const lostAt = (what: string, ...steps: string[]) => `${placeOf(above, steps)} is ${what}`;
  let one = value;
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
        // In an object it is as an absent key.
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

/** An object or a list that is being looked through, and which of its values comes next. */
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

/** By what it inherits and not by Object.prototype itself: the value may come from another realm. */
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
    const hidden = Reflect.ownKeys(value).find(
      (key) => !Object.prototype.propertyIsEnumerable.call(value, key),
    );
    if (hidden === undefined) return { what: "an object with a symbol for a key", steps: [] };
    return { what: "not enumerable", steps: [step(hidden)] };
  }
  const computed = keys.find((key) => !("value" in (Object.getOwnPropertyDescriptor(value, key) ?? {})));
  return computed === undefined ? undefined : { what: "a getter", steps: [step(computed)] };
}

// The names of so many elements are listed at once.
const SHORT = 1_000;
const BARE = { maxArrayLength: 0, depth: 0, showHidden: true, customInspect: false } as const;

/** A key of a list, each element of which is there, that is none of its elements'. */
function namedProperty(list: unknown[]): string | symbol | undefined {
  if (list.length > SHORT) {
    // Their names would take more memory than they do: inspect shows what there is beside them.
    const bare: unknown[] = [];
    bare.length = list.length;
    if (inspect(list, BARE) === inspect(bare, BARE)) return undefined;
  }
  const { length } = list;
  return Reflect.ownKeys(list).find((key, at) => key !== (at < length ? String(at) : "length"));
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

// Compares the catalogue with what a Synapse offers. Pure: it reads and prints nothing.
import { isOlder } from "../../bridge/base/releases.js";
import type { ApiMethod, ApiProperty } from "../../bridge/catalogue/catalogue.js";
import type { DeclaredCallback, Sources } from "../generate/sources.js";
import {
  type Addition,
  callbackEntry,
  codeEntry,
  memberEntry,
  methodParamsEntry,
  paramsEntry,
} from "./entries.js";
import type { Offered, OfferedCallback, OfferedMethod, OfferedProperty } from "./installed.js";
import { longestCall, longestForm, paramsOf } from "./signature.js";
import { fits, withoutNone } from "./wire-types.js";

/** What is compared of the catalogue. */
export type Declared = Pick<Sources, "callbacks" | "methods" | "properties" | "absent" | "codes" | "types">;

export interface Difference {
  readonly kind: "new" | "gone" | "changed" | "undated";
  /** The same sentence for the same difference, whatever the lines of Synapse's files: intended.json goes by it. */
  readonly what: string;
  /** Where Synapse has it. */
  readonly at?: string;
  /** What the catalogue needs. */
  readonly addition?: Addition;
}

export interface Comparison {
  readonly version: string;
  readonly differences: readonly Difference[];
}

/** `newest` is the Synapse whose catalogue this is. */
export function compare(declared: Declared, offered: Offered, newest: string): Comparison {
  const comparison = new Comparing(declared, offered, newest);
  comparison.callbacks();
  comparison.members();
  comparison.codes();
  return { version: offered.version, differences: comparison.differences };
}

class Comparing {
  readonly differences: Difference[] = [];
  readonly #declared: Declared;
  readonly #offered: Offered;
  readonly #isOlder: boolean;

  constructor(declared: Declared, offered: Offered, newest: string) {
    this.#declared = declared;
    this.#offered = offered;
    this.#isOlder = isOlder(offered.version, newest);
  }

  callbacks(): void {
    const offered = Object.entries(this.#offered.callbacks).flatMap(([category, named]) =>
      Object.entries(named).map(([name, one]) => ({ category, name, one })),
    );
    for (const { category, name, one } of offered) {
      const declared = this.#declared.callbacks.find((callback) => callback.name === name);
      if (declared === undefined) {
        const addition = callbackEntry(name, category, one, this.#context());
        this.#add("new", `callback ${name}, by register_${category}_callbacks`, {
          ...placeOf(one),
          addition,
        });
      } else {
        this.#callback(declared, category, one);
      }
    }
    for (const { name, since } of this.#declared.callbacks) {
      if (!offered.some((one) => one.name === name)) this.#missing(`callback ${name}`, since);
    }
  }

  #callback(declared: DeclaredCallback, category: string, offered: OfferedCallback): void {
    const what = `callback ${declared.name}`;
    const place = placeOf(offered);
    const changed = (text: string, addition?: Addition) =>
      this.#add("changed", `${what}: ${text}`, { ...place, ...(addition && { addition }) });
    this.#since(what, declared.since, null);
    if (declared.category !== category)
      changed(`the category is ${declared.category}, and in Synapse ${category}`);
    if (offered.calls.length === 0) changed("Synapse takes it, and no place was found that calls it");
    const params = Object.entries(declared.params).filter(
      ([name]) => !this.#isLater(declared.params_since?.[name]),
    );
    const theirs = paramsOf(offered);
    const form = longestForm(offered);
    if (theirs.length !== params.length && (form?.params || offered.calls.length > 0)) {
      const isMore = theirs.length > Object.keys(declared.params).length;
      const addition = isMore ? paramsEntry(declared, offered, this.#context()) : undefined;
      const names = params.map(([name]) => name).join(", ");
      changed(`its parameters are (${names}), and in Synapse (${described(theirs)})`, addition);
    }
    const given = longestCall(offered)?.in_order ?? [];
    for (const [index, [name, type]] of params.entries()) {
      const [hint, called] = [theirs[index]?.hint, given[index]];
      if (hint !== undefined && !fits(type, hint)) {
        changed(`the parameter ${name} is ${type}, and in Synapse ${hint}`);
      }
      if (called && called !== name) changed(`the parameter ${name} is ${called} where Synapse gives it`);
    }
    for (const name of offered.calls.flatMap(({ by_name }) => by_name)) {
      const known = name === null || Object.hasOwn(declared.params, name);
      if (!known) changed(`Synapse gives ${name} by its name, and the catalogue has no such parameter`);
    }
    if (form && !fits(declared.result, form.result)) {
      changed(`the answer is ${declared.result}, and in Synapse ${form.result}`);
    }
  }

  members(): void {
    const { methods, properties, absent } = this.#declared;
    const [ofMethods, ofProperties] = [new Map(methods), new Map(properties)];
    const withoutUse = new Map(absent);
    for (const [name, one] of Object.entries(this.#offered.api)) {
      const [method, property] = [ofMethods.get(name), ofProperties.get(name)];
      if (method?.added) {
        this.#add("changed", `api ${name}: the bridge has added it, and Synapse has one`);
      } else if (method !== undefined) {
        this.#method(name, method, one);
      } else if (property !== undefined) {
        this.#property(name, property, one);
      } else if (withoutUse.has(name)) {
        this.#since(`api ${name}`, withoutUse.get(name)?.since, null);
      } else {
        this.#add("new", `api ${name}`, { addition: memberEntry(name, one, this.#context()) });
      }
    }
    const lacks = (name: string) => !Object.hasOwn(this.#offered.api, name);
    for (const [name, { added, since }] of methods) {
      if (!added && lacks(name)) this.#missing(`api ${name}`, since);
    }
    for (const [name, { since }] of [...ofProperties, ...withoutUse]) {
      if (lacks(name)) this.#missing(`api ${name}`, since);
    }
  }

  #method(name: string, declared: ApiMethod, offered: OfferedMethod | OfferedProperty): void {
    const changed = (text: string, addition?: Addition) =>
      this.#add("changed", `api ${name}: ${text}`, addition && { addition });
    this.#since(`api ${name}`, declared.since, offered.since ?? null);
    if (offered.kind === "property") {
      changed("it is a method, and in Synapse a property");
      return;
    }
    const params = new Map(
      Object.entries(declared.params).map(([key, type]) => [
        key.replace(/\?$/, ""),
        {
          type,
          optional: key.endsWith("?"),
          isLater: this.#isLater(declared.params_since?.[key.replace(/\?$/, "")]),
        },
      ]),
    );
    const more = Object.keys(offered.params).filter((param) => !params.has(param));
    if (more.length > 0) {
      const addition = methodParamsEntry(name, declared, offered, this.#context());
      for (const param of more) changed(`Synapse has a parameter ${param} more`, addition);
    }
    for (const [param, mine] of params) {
      const theirs = offered.params[param];
      if (theirs === undefined) {
        this.#missing(`api ${name}: the parameter ${param}`, declared.params_since?.[param]);
        continue;
      }
      if (mine.isLater) {
        const since = declared.params_since?.[param];
        changed(`the parameter ${param} is since ${since}, and this Synapse has it already`);
      }
      if (theirs.optional !== mine.optional) {
        const [own, other] = [mine.optional, theirs.optional].map((may) => (may ? "optional" : "needed"));
        changed(`the parameter ${param} is ${own}, and in Synapse ${other}`);
      }
      // Leaving it out is as good as None.
      const left = mine.optional ? (withoutNone(theirs.type) ?? theirs.type) : theirs.type;
      if (!fits(mine.type, theirs.type) && !fits(mine.type, left)) {
        changed(`the parameter ${param} is ${mine.type}, and in Synapse ${theirs.type}`);
      }
    }
    if (!fits(declared.result, offered.result)) {
      changed(`the result is ${declared.result}, and in Synapse ${offered.result}`);
    }
  }

  #property(name: string, { type, since }: ApiProperty, offered: OfferedMethod | OfferedProperty): void {
    this.#since(`api ${name}`, since, null);
    if (offered.kind === "method") {
      this.#add("changed", `api ${name}: it is a property, and in Synapse a method`);
    } else if (offered.type !== null && !fits(type, offered.type)) {
      this.#add("changed", `api ${name}: its type is ${type}, and in Synapse ${offered.type}`);
    }
  }

  codes(): void {
    const declared = new Map(this.#declared.codes);
    for (const [name, value] of Object.entries(this.#offered.codes)) {
      const mine = declared.get(name);
      if (mine === undefined)
        this.#add("new", `code ${name}`, { addition: codeEntry(name, value, this.#context()) });
      else {
        this.#since(`code ${name}`, mine.since, null);
        if (mine.value !== value)
          this.#add("changed", `code ${name}: it is ${mine.value}, and in Synapse ${value}`);
      }
    }
    for (const [name, { since }] of declared) {
      if (!Object.hasOwn(this.#offered.codes, name)) this.#missing(`code ${name}`, since);
    }
  }

  #since(what: string, since: string | undefined, told: string | null): void {
    if (told !== null && told !== since) {
      this.#add("changed", `${what}: it is since ${since ?? "an unknown release"}, and Synapse says ${told}`);
    } else if (this.#isLater(since)) {
      this.#add("changed", `${what}: it is since ${since}, and this Synapse has it already`);
    }
  }

  #missing(what: string, since: string | undefined): void {
    if (this.#isLater(since)) return;
    this.#add(since === undefined && this.#isOlder ? "undated" : "gone", what);
  }

  #isLater(since: string | undefined): boolean {
    return since !== undefined && isOlder(this.#offered.version, since);
  }

  #add(kind: Difference["kind"], what: string, more: Partial<Difference> = {}): void {
    this.differences.push({ kind, what, ...more });
  }

  #context() {
    return { declared: this.#declared, release: this.#offered.version.replace(/rc\d+$/, "") };
  }
}

/** Where Synapse calls it with most. */
function placeOf(offered: OfferedCallback): { at?: string } {
  const call = longestCall(offered);
  return call ? { at: call.at } : {};
}

const described = (params: ReturnType<typeof paramsOf>) =>
  params.map(({ name = "?", hint }) => (hint === undefined ? name : `${name}: ${hint}`)).join(", ");

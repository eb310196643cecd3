// Infers what a module answers from the literal that its author writes, and refuses answers that are not JSON.
import type { CallbackResults } from "./callbacks.js";
import type { CallbackName } from "./entries.js";
import type { JsonInputObject, JsonValue } from "./json.js";
import type { EventReplacement } from "./objects.js";

/**
 * Lets TypeScript infer from the literal which callbacks it has, and what each is: `Name extends never` never holds, and the
 * inference reads that branch all the same. Besides, it refuses answers with something in them that is not JSON.
 */
export type Inferred<Own> = {
  readonly [Name in keyof Own & CallbackName]?: Name extends never ? Own[Name] : Fitting<Name, Own[Name]>;
};

/** Callbacks whose answers hold JSON of the module's own. */
type WithJson = {
  [Name in CallbackName]: JsonInputObject extends PartsOf<CallbackResults[Name]> ? Name : never;
}[CallbackName];
type PartsOf<Result> = Result extends readonly unknown[]
  ? Result[number]
  : Result extends EventReplacement
    ? JsonInputObject
    : Result;

type Fitting<Name, Given> = Name extends WithJson
  ? Given extends Answering<infer Answer>
    ? IsJson<Awaited<Answer>>
    : unknown
  : unknown;

type Answering<Answer> = ((...args: never) => Answer) | { readonly handler: (...args: never) => Answer };
type IsJson<Answer> = [NotJsonIn<Answer>] extends [never] ? unknown : NotJson<NotJsonIn<Answer>>;

/**
 * The parts of a type that have no JSON, down to six levels; never if there are none. TypeScript forgets that what a function
 * returns is a literal, so that JsonInput alone would take a Date within it.
 */
type NotJsonIn<Value, Depth extends 0[] = []> = Depth["length"] extends 6
  ? never
  : // The second is of a value of the type any.
    Value extends JsonValue | undefined | (0 extends 1 & Value ? unknown : never)
    ? never
    : Value extends readonly (infer Item)[]
      ? NotJsonIn<Item, [...Depth, 0]>
      : Value extends JsonInputObject
        ? { [Key in keyof Value]-?: NotJsonIn<Value[Key], [...Depth, 0]> }[keyof Value]
        : Value;

/** As Inferred, of the answers of web handlers. */
export type InferredWeb<Web> = {
  readonly [Path in keyof Web]: Path extends never
    ? Web[Path]
    : Web[Path] extends Answering<infer Answer>
      ? IsJson<Exclude<Awaited<Answer>, Response>>
      : unknown;
};

/** Stands for an answer that has a part which is not JSON. */
interface NotJson<Part> {
  readonly is_not_json: Part;
}

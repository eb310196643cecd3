// Types `config` by a module's configSchema: a JSON Schema of draft-07, as a literal.
import type { JsonValue } from "./json.js";

/**
 * The formats that are checked, those of ajv-formats. Another `format` stops the start.
 * @example
 * ```ts fragment value
 * const format: Format = "uri";
 * ```
 */
export type Format =
  | "binary"
  | "byte"
  | "date"
  | "date-time"
  | "double"
  | "duration"
  | "email"
  | "float"
  | "hostname"
  | "int32"
  | "int64"
  | "ipv4"
  | "ipv6"
  | "iso-date-time"
  | "iso-time"
  | "json-pointer"
  | "json-pointer-uri-fragment"
  | "password"
  | "regex"
  | "relative-json-pointer"
  | "time"
  | "uri"
  | "uri-reference"
  | "uri-template"
  | "url"
  | "uuid";

type TypeName = "array" | "boolean" | "integer" | "null" | "number" | "object" | "string";
type SubSchema = ConfigSchema | boolean;
type ByName = { readonly [name: string]: SubSchema };

/**
 * A JSON Schema (draft-07) for the module's `config`. It types `config`, fills in defaults, and is checked at start.
 * @example
 * ```ts fragment value
 * const configSchema: ConfigSchema = {
 *   type: "object",
 *   properties: { limit: { type: "integer", minimum: 1, default: 10 } },
 *   additionalProperties: false,
 * };
 * ```
 */
export interface ConfigSchema {
  readonly $id?: string;
  readonly $schema?: string;
  readonly $comment?: string;
  /** A part of this schema: `#/definitions/<name>`, `#/$defs/<name>` or `#`. */
  readonly $ref?: string;
  readonly $defs?: ByName;
  readonly definitions?: ByName;
  readonly title?: string;
  readonly description?: string;
  /** Filled in if the admin leaves the property out. It must fit the schema beside it. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
  readonly type?: TypeName | readonly TypeName[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly nullable?: boolean;
  readonly multipleOf?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: Format;
  readonly contentMediaType?: string;
  readonly contentEncoding?: string;
  readonly items?: SubSchema | readonly SubSchema[];
  readonly additionalItems?: SubSchema;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly contains?: SubSchema;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  /** The properties that the admin must give. Each must be declared. */
  readonly required?: readonly string[];
  readonly properties?: ByName;
  readonly patternProperties?: ByName;
  /** What other properties may be; `false` makes them mistakes. */
  readonly additionalProperties?: SubSchema;
  readonly propertyNames?: SubSchema;
  readonly dependencies?: { readonly [name: string]: SubSchema | readonly string[] };
  readonly allOf?: readonly SubSchema[];
  readonly anyOf?: readonly SubSchema[];
  readonly oneOf?: readonly SubSchema[];
  readonly not?: SubSchema;
  readonly if?: SubSchema;
  readonly then?: SubSchema;
  readonly else?: SubSchema;
}

declare const none: unique symbol;

/**
 * The config of a module without a `configSchema`: it has no keys.
 * @example
 * ```ts fragment value
 * function helper(config: NoConfig): void {}
 * ```
 */
export interface NoConfig {
  readonly [none]?: never;
}

// Without strictNullChecks, undefined extends every type: so it is asked for first.
/**
 * The type of `config` by the module's `configSchema`. A property that is required or has a default is there; another may be
 * undefined. Properties that the schema does not declare are in the type only if `additionalProperties` is true or a schema.
 * @example
 * ```ts fragment value
 * const schema = { type: "object", properties: { limit: { type: "integer" } }, required: ["limit"] } as const;
 * const config: Config<typeof schema> = { limit: 10 };
 * ```
 */
export type Config<Schema> = Schema extends undefined ? NoConfig : Fitting<Schema, Schema>;

/** Of one schema, within the root that `$ref` points into. */
type Fitting<Schema, Root> =
  unknown extends Part<Schema, Root>
    ? // Without strictNullChecks, unknown extends an object whose keys are all optional, too.
      keyof Part<Schema, Root> extends never
      ? JsonValue
      : Part<Schema, Root>
    : Part<Schema, Root>;

/** As Fitting, but unknown for a schema that says nothing, so that `&` leaves the rest as it is. */
type Part<Schema, Root> = Schema extends { readonly $ref: infer Path }
  ? Fitting<Target<Path, Root>, Root>
  : Schema extends { readonly const: infer Value }
    ? Value
    : Schema extends { readonly enum: readonly (infer Value)[] }
      ? Value
      : Own<Schema, Root> & All<Schema, Root> & Any<Schema, Root, "anyOf"> & Any<Schema, Root, "oneOf">;

type Target<Path, Root> = Path extends `#/${infer Key}/${infer Name}`
  ? Key extends keyof Root
    ? Name extends keyof Root[Key]
      ? Root[Key][Name]
      : unknown
    : unknown
  : Path extends "#"
    ? Root
    : unknown;

type All<Schema, Root> = Schema extends { readonly allOf: infer Parts } ? Meet<Parts, Root> : unknown;
type Meet<Parts, Root> = Parts extends readonly [infer First, ...infer Rest]
  ? Part<First, Root> & Meet<Rest, Root>
  : unknown;
type Any<Schema, Root, Key extends string> = Schema extends { readonly [K in Key]: readonly (infer One)[] }
  ? One extends unknown
    ? Part<One, Root>
    : never
  : unknown;

type Own<Schema, Root> = Schema extends { readonly type: infer Name }
  ? OfType<Name extends readonly (infer One)[] ? One : Name, Schema, Root>
  : Schema extends { readonly properties: unknown }
    ? ObjectOf<Schema, Root>
    : unknown;

type OfType<Name, Schema, Root> = Name extends "string"
  ? string
  : Name extends "integer" | "number"
    ? number
    : Name extends "boolean"
      ? boolean
      : Name extends "null"
        ? null
        : Name extends "array"
          ? ArrayOf<Schema, Root>
          : Name extends "object"
            ? ObjectOf<Schema, Root>
            : unknown;

type ArrayOf<Schema, Root> = Schema extends { readonly items: infer Items }
  ? Items extends readonly unknown[]
    ? Tuple<Items, Schema extends { readonly minItems: infer Least } ? Least : 0, Rest<Schema, Root>, Root>
    : Fitting<Items, Root>[]
  : JsonValue[];

/** The items that must be there, then those that may, then any number of others. */
type Tuple<
  Items extends readonly unknown[],
  Least,
  More extends unknown[],
  Root,
  Done extends unknown[] = [],
> = Items extends readonly [infer First, ...infer Others]
  ? Done["length"] extends Least
    ? [...Done, ...{ -readonly [Index in keyof Items]?: Fitting<Items[Index], Root> }, ...More]
    : Tuple<Others, Least, More, Root, [...Done, Fitting<First, Root>]>
  : [...Done, ...More];

type Rest<Schema, Root> = Schema extends { readonly additionalItems: infer Items }
  ? Items extends false
    ? []
    : Fitting<Items, Root>[]
  : JsonValue[];

type Named<Schema, Key extends string> = Schema extends { readonly [K in Key]: infer Parts } ? Parts : object;
type Wanted<Schema> = Schema extends { readonly required: readonly (infer Name extends string)[] }
  ? Name
  : never;
type WithDefault<Parts> = {
  [Name in keyof Parts]: Parts[Name] extends { readonly default: unknown } ? Name : never;
}[keyof Parts];

type ObjectOf<Schema, Root> = Fields<Named<Schema, "properties">, Wanted<Schema>, Root> &
  Others<Schema, Root>;

type Fields<Parts, Given extends PropertyKey, Root> = {
  -readonly [Name in Extract<keyof Parts, Given | WithDefault<Parts>>]: Fitting<Parts[Name], Root>;
} & {
  -readonly [Name in Exclude<keyof Parts, Given | WithDefault<Parts>>]?: Fitting<Parts[Name], Root>;
} & { [Name in Exclude<Given, keyof Parts>]: JsonValue } extends infer Whole
  ? // One object, as editors and messages then show it.
    { [Name in keyof Whole]: Whole[Name] }
  : never;

/** The index signature, if the schema allows properties that it does not name. */
type Others<Schema, Root> = Schema extends
  | { readonly patternProperties: unknown }
  | { readonly additionalProperties: true | object }
  ? {
      [name: string]:
        | Values<Named<Schema, "patternProperties">, Root>
        | Values<Named<Schema, "properties">, Root>
        | (Schema extends { readonly additionalProperties: infer Part }
            ? Part extends false
              ? never
              : Fitting<Part, Root>
            : never)
        | undefined;
    }
  : Schema extends { readonly properties: unknown }
    ? unknown
    : Schema extends { readonly additionalProperties: false }
      ? unknown
      : { [name: string]: JsonValue | undefined };
type Values<Parts, Root> = keyof Parts extends never ? never : Fitting<Parts[keyof Parts], Root>;

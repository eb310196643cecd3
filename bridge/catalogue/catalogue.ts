// Reads schemas/*.json once, and keeps the validators of the wire types that were used. It knows nothing of modules or of
// the wire.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ValidateFunction } from "ajv";
import { OWN_FOLDER } from "../base/own-folder.js";
import { schemaOfParams, schemaOfType, Validators } from "./validators.js";

export interface Callback {
  name: string;
  category: string;
  since: string;
  summary: string;
  params: Record<string, string>;
  /** What parameters are, for the reference pages. */
  notes?: Readonly<Record<string, string>>;
  /** The first Synapse that gives these parameters; before it they are undefined. */
  params_since?: Readonly<Record<string, string>>;
  subject?: string;
  /** Who is set aside for what has ended Node. */
  author?: string;
  about?: string;
  set_aside?: string;
  result: string;
  on_failure: FailurePolicy;
  delivery?: "notify";
  edits?: string;
  swallows?: boolean;
  /** Synapse takes one for all modules. */
  single?: boolean;
  /** Synapse takes both of a module or none. */
  together?: string;
  listed?: boolean;
  apart?: boolean;
  secret?: boolean;
  once?: boolean;
  faults?: "policy" | { remote_message: string };
  membership_lock?: object;
}

export interface FailurePolicy {
  default: string;
  explicit?: Partial<Record<"local" | "federated", readonly string[]>>;
  exceptions?: readonly {
    policy: string;
    where?: Readonly<Record<string, unknown>>;
    same?: readonly string[];
    published?: string;
  }[];
}

export interface ApiProperty {
  type: string;
  summary: string;
}

export interface ApiMethod {
  access: "sync" | "read" | "write";
  since?: string;
  process?: "main" | "presence";
  params: Record<string, string>;
  /** What parameters are, for the reference pages. */
  notes?: Readonly<Record<string, string>>;
  result: string;
  summary: string;
  /** Not of Synapse's ModuleApi. */
  added?: boolean;
  grant?: string;
  tsType?: string;
}

/** What an admin may list in `grants` so that a module may use a write: its name or its group's; `all` aside. */
export function grantsFor(path: string, method: ApiMethod): string[] {
  if (method.grant !== undefined) return [method.grant];
  return path.includes(".") ? [path, path.split(".")[0] as string] : [path];
}

export interface WireType {
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  tsType?: string;
  pass?: unknown[];
  merge?: boolean;
  follow_up?: boolean;
  mutable?: boolean;
  refuses?: unknown[];
}

export interface Catalogue {
  /** sha256 of every byte in schemas/*.json: host and shim must hold the same. */
  hash: string;
  callbacks: ReadonlyMap<string, Callback>;
  properties: ReadonlyMap<string, ApiProperty>;
  methods: ReadonlyMap<string, ApiMethod>;
  codes: ReadonlySet<string>;
  /** types.json as it is. */
  types: object;
  /** The definition of a wire type, by its name without the `?`. */
  type(name: string): WireType;
  /** A validator for one wire type; `?` at the end of its name also lets null through. */
  validator(name: string): ValidateFunction;
  /** A validator for an object of named wire types; a key that ends in `?` may be absent. */
  paramsValidator(params: Record<string, string>, closed: boolean): ValidateFunction;
}

let loaded: Catalogue | undefined;

export function catalogue(): Catalogue {
  loaded ??= readCatalogue(schemasFolder());
  return loaded;
}

/** The schemas lie beside the bundled host, else at the root of the package. */
function schemasFolder(): string {
  const beside = path.join(OWN_FOLDER, "schemas");
  return existsSync(beside) ? beside : path.join(OWN_FOLDER, "..", "schemas");
}

function readCatalogue(folder: string): Catalogue {
  const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
  const types = read("types.json");
  const codes = new Set<string>(Object.values(read("codes.json")));
  const api = read("api.json");

  const validators = new Validators(types, codes);
  const ofTypes = new Map<string, ValidateFunction>();
  const ofParams = {
    open: new WeakMap<object, ValidateFunction>(),
    closed: new WeakMap<object, ValidateFunction>(),
  };
  return {
    hash: hashOf(folder),
    callbacks: new Map(
      entries<Callback>(read("callbacks.json")).map(([name, entry]) => [name, { ...entry, name }]),
    ),
    properties: new Map(entries<ApiProperty>(api.properties)),
    methods: new Map(entries<ApiMethod>(api.methods)),
    codes,
    types,
    type(name) {
      const definition: WireType | undefined = types.definitions[name];
      if (definition === undefined) throw new Error(`types.json has no definition ${name}`);
      return definition;
    },
    validator(name) {
      const known = ofTypes.get(name);
      if (known) return known;
      const validate = validators.of(schemaOfType(name));
      ofTypes.set(name, validate);
      return validate;
    },
    paramsValidator(params, closed) {
      const kept = closed ? ofParams.closed : ofParams.open;
      const known = kept.get(params);
      if (known) return known;
      const validate = validators.of(schemaOfParams(params, closed));
      kept.set(params, validate);
      return validate;
    },
  };
}

function entries<T>(object: Record<string, T>): [string, T][] {
  return Object.entries(object).filter(([name]) => name !== "$schema");
}

function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith(".json")) hash.update(readFileSync(`${folder}/${name}`));
  }
  return hash.digest("hex");
}

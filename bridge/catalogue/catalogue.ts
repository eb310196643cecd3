// Reads the catalogue (schemas/*.json) once, and caches the validators of its wire types. It knows nothing of modules or of
// the wire.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ValidateFunction } from "ajv";
import { OWN_FOLDER } from "../base/own-folder.js";
import { schemaOfParams, schemaOfType, Validators } from "./validators.js";

/** One entry of callbacks.json. catalogue.schema.json describes each key. */
export interface Callback {
  name: string;
  category: string;
  since: string;
  summary: string;
  params: Record<string, string>;
  /** What parameters are, for the reference pages. */
  notes?: Readonly<Record<string, string>>;
  /** By parameter: the first Synapse version that passes it. Before that version it is undefined. */
  params_since?: Readonly<Record<string, string>>;
  subject?: string;
  /** Path to the author of the content, who is set aside when the call has ended Node. */
  author?: string;
  about?: string;
  set_aside?: string;
  result: string;
  on_failure: FailurePolicy;
  delivery?: "notify";
  edits?: string;
  swallows?: boolean;
  /** Synapse takes this callback from one module only. */
  single?: boolean;
  /** The callback that a module must implement too: Synapse takes both or neither. */
  together?: string;
  listed?: boolean;
  /** Synapse's documentation does not describe it. */
  undocumented?: boolean;
  apart?: boolean;
  secret?: boolean;
  /** Why it is never recorded, if it is not secret. */
  unrecorded?: string;
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
  /** The first Synapse version that has it, where not all supported ones do. */
  since?: string;
  type: string;
  summary: string;
  /** Statements of a handler, for the hover text. */
  example: string;
}

export interface ApiMethod {
  access: "sync" | "read" | "write";
  since?: string;
  /** The only kind of process that can do it. */
  process?: "main" | "presence" | "pusher";
  params: Record<string, string>;
  /** What parameters are, for the reference pages. */
  notes?: Readonly<Record<string, string>>;
  /** By parameter: the first Synapse version that takes it. Before that version a call with it fails. */
  params_since?: Readonly<Record<string, string>>;
  result: string;
  summary: string;
  /** Statements of a handler, for the reference page and the hover text. */
  example: string;
  /** The bridge adds this method: Synapse's ModuleApi does not have it. */
  added?: boolean;
  /** It is never recorded. */
  secret?: boolean;
  grant?: string;
  tsType?: string;
}

/** A member of the ModuleApi that modules cannot have. */
export interface AbsentMember {
  since?: string;
  /** Why, and what to use instead. */
  why: string;
}

/** One of Synapse's error codes. */
export interface Code {
  value: string;
  since?: string;
}

/** The grants of which a write needs one: its own name, or its group's name. (`all` covers every write.) */
export function grantsFor(path: string, method: ApiMethod): string[] {
  if (method.grant !== undefined) return [method.grant];
  return path.includes(".") ? [path, path.split(".")[0] as string] : [path];
}

export interface WireType {
  description?: string;
  /** The class of Synapse that it stands for. */
  source?: string;
  /** A value in TypeScript, for the reference page and the hover text. */
  example?: string;
  properties?: Readonly<Record<string, object>>;
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
  /** SHA-256 of schemas/*.json. Host and shim must have the same. */
  hash: string;
  callbacks: ReadonlyMap<string, Callback>;
  properties: ReadonlyMap<string, ApiProperty>;
  methods: ReadonlyMap<string, ApiMethod>;
  codes: ReadonlySet<string>;
  /** The whole content of types.json. */
  types: object;
  /** Returns the definition of a wire type. The name has no `?`. */
  type(name: string): WireType;
  /** Returns a validator for one wire type. A `?` at the end of the name also accepts null. */
  validator(name: string): ValidateFunction;
  /** Returns a validator for an object of named wire types. A key that ends in `?` is optional; `closed` forbids other keys. */
  paramsValidator(params: Record<string, string>, closed: boolean): ValidateFunction;
}

let loaded: Catalogue | undefined;

export function catalogue(): Catalogue {
  loaded ??= readCatalogue(schemasFolder());
  return loaded;
}

/** The schemas are beside the bundled host, or at the root of the package: above dist/, or above dist/cjs/. */
function schemasFolder(): string {
  const folders = ["schemas", "../schemas", "../../schemas"].map((folder) => path.join(OWN_FOLDER, folder));
  return folders.find((folder) => existsSync(folder)) ?? path.join(OWN_FOLDER, "../schemas");
}

function readCatalogue(folder: string): Catalogue {
  const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
  const types = read("types.json");
  const codes = new Set(entries<Code>(read("codes.json")).map(([, { value }]) => value));
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

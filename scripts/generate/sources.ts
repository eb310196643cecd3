// What is generated from: the declarations in schemas/, the table of faults that the tests go by, and what was measured.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type {
  AbsentMember,
  ApiMethod,
  ApiProperty,
  Callback,
  Code,
  WireType,
} from "../../bridge/catalogue/catalogue.js";

/** A row of test/support/faults.json. */
export interface Fault {
  readonly fault: string;
  readonly seen: string;
  readonly after: string;
}

/** What `npm run test:matrix -- --save` keeps. */
export interface MeasuredPart {
  readonly synapse: string;
  readonly python: string;
  readonly node: string;
  readonly asyncio?: boolean;
  readonly rows: "all" | "few";
  readonly equal: number;
  readonly intended: number;
  readonly absent: number;
  readonly failed: number;
}

type Named<Value> = Readonly<Record<string, Value>>;

/** A JSON Schema, as far as protocol.json and admin.json use it. */
export interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema | readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Named<Schema>;
  readonly additionalProperties?: Schema | false;
}

export interface Message {
  readonly from: "shim" | "host";
  readonly kind: "request" | "notification";
  readonly params: string;
  readonly result?: string;
  readonly errors?: readonly string[];
  /** Of a family: the file that has its members. */
  readonly of?: string;
  readonly summary: string;
}

interface WireErrorType {
  readonly code: number;
  readonly summary: string;
  readonly data: Named<string>;
  /** JSON-RPC itself has it. */
  readonly standard?: boolean;
  readonly thrown_as?: string;
}

interface DeclaredNumber {
  readonly value: number;
  readonly summary: string;
}

/** protocol.json. */
export interface Protocol {
  readonly version: number;
  readonly limits: Named<DeclaredNumber>;
  readonly log_levels: Named<DeclaredNumber>;
  readonly messages: Named<Message>;
  readonly records: Named<{ readonly holds: string; readonly summary: string }>;
  readonly causes: Named<{ readonly text: string; readonly by: string; readonly summary: string }>;
  readonly errors: Named<WireErrorType>;
  readonly reasons: Named<{ readonly summary: string }>;
  readonly definitions: Named<Schema>;
}

/** What follows `?` in a request to the admin API: a text where no type is given. */
export interface AdminParameter {
  readonly description: string;
  /** Text, if it is left out. Else one of these, or the name of a definition. */
  readonly type?: "integer" | "moment" | string;
  readonly required?: boolean;
  /** What an absent one stands for. */
  readonly default?: string;
  /** How every value begins. */
  readonly begins?: string;
  readonly example: string;
}

/** What it means, for people. */
export const meaningOf = ({ description, default: absent }: AdminParameter): string =>
  absent === undefined ? description : `${description} Without it, ${absent}.`;

export interface AdminEndpoint {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the API's own; `<name>` stands for what differs. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Named<AdminParameter>;
  /** The definition of what is sent, with an example. */
  readonly body?: string;
  readonly example?: unknown;
  /** The definition of what is answered. */
  readonly answer: string;
}

/** admin.json. */
export interface AdminApi {
  /** All endpoints are below it. */
  readonly path: string;
  readonly limits: Named<DeclaredNumber>;
  readonly endpoints: Named<AdminEndpoint>;
  readonly errors: readonly { readonly status: number; readonly errcode: string; readonly summary: string }[];
  readonly definitions: Named<Schema>;
}

export type Policy = "allow" | "deny" | "defer";
export type Means = "pass" | "raise" | { readonly answer: unknown };

/** Which policy answers when no module does, and how each policy is expressed to Synapse. */
type Failure = { readonly [Name in Policy]?: Means } & {
  readonly default: Policy;
  readonly federated?: Readonly<Partial<Record<Policy, Means>>>;
  readonly explicit?: Readonly<Record<string, readonly string[]>>;
  readonly exceptions?: readonly {
    readonly policy: Policy;
    readonly where?: Readonly<Record<string, string>>;
    readonly same?: readonly string[];
    readonly published?: string;
  }[];
};

export interface DeclaredCallback extends Callback {
  readonly on_failure: Failure;
}

export interface Sources {
  readonly callbacks: readonly DeclaredCallback[];
  readonly types: Readonly<Record<string, WireType>>;
  readonly properties: readonly (readonly [string, ApiProperty])[];
  /** The kinds of processes outside of which some methods do not work, in words. */
  readonly processes: Readonly<Record<NonNullable<ApiMethod["process"]>, string>>;
  readonly methods: readonly (readonly [string, ApiMethod])[];
  readonly absent: readonly (readonly [string, AbsentMember])[];
  readonly protocol: Protocol;
  readonly admin: AdminApi;
  /** The definitions of check.schema.json. */
  readonly checkReport: Named<Schema>;
  readonly codes: readonly (readonly [string, Code])[];
  readonly faults: Readonly<Record<string, Fault>>;
  readonly measured: readonly MeasuredPart[];
  /** The texts of the SDK's files that declare types by hand. */
  readonly sdk: readonly string[];
  /** The texts of the files in examples/callbacks/. */
  readonly examples: readonly string[];
}

// What authors see of types that schemas/ does not declare.
const SDK_FILES = ["contents", "event-contents", "ids", "json", "objects", "rate-limiter", "storage-types"];

/** Of the project, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function readSources(): Sources {
  const read = (name: string) => JSON.parse(readFileSync(`${ROOT}schemas/${name}`, "utf8"));
  const faults = JSON.parse(readFileSync(`${ROOT}test/support/faults.json`, "utf8"));
  const measured = JSON.parse(readFileSync(`${ROOT}test/synapse/versions/measured.json`, "utf8"));
  const { $schema: _, ...callbacks } = read("callbacks.json");
  const { $schema: __, ...codes } = read("codes.json");
  const api = read("api.json");
  const readText = (path: string) => readFileSync(ROOT + path, "utf8");
  const examples = readdirSync(`${ROOT}examples/callbacks`).sort();
  return {
    callbacks: Object.entries(callbacks).map(([name, entry]) => ({ ...(entry as DeclaredCallback), name })),
    types: read("types.json").definitions,
    properties: Object.entries(api.properties),
    processes: api.processes,
    methods: Object.entries(api.methods),
    absent: Object.entries(api.absent),
    protocol: read("protocol.json"),
    admin: read("admin.json"),
    checkReport: read("check.schema.json").definitions,
    codes: Object.entries(codes),
    faults,
    measured,
    sdk: SDK_FILES.map((name) => readText(`bridge/sdk/${name}.ts`)),
    examples: examples.map((name) => readText(`examples/callbacks/${name}`)),
  };
}

// Generated from schemas/ by `npm run generate`: do not edit.
// What `check --json` prints.

/** What `check` has found. The exit code says the same as `result`: 0, 1 or 2. */
export type CheckReport = {
  /** Nothing is wrong; something is; or the check could not be made. */
  readonly result: "good" | "faults" | "not_looked";
  /** Why the check could not be made. */
  readonly why?: string;
  /** The release of Synapse that the modules were held against. Absent for modules alone without `--synapse`. */
  readonly synapse?: string;
  readonly faults: readonly CheckFault[];
  /** What is allowed, but probably not meant, and what could not be checked. */
  readonly warnings: readonly string[];
  /** The modules that could be loaded. */
  readonly modules: readonly CheckedModule[];
};

/** Something that is wrong. */
export type CheckFault = {
  /** Its place in homeserver.yaml, such as `modules[0].config.modules[1].path`, or the module's file. */
  readonly at: string;
  /** What is wrong, and what to do. */
  readonly message: string;
};

/** What a module declares. */
export type CheckedModule = {
  readonly name: string;
  readonly file: string;
  /** Which compiler has checked its types, or why none has. */
  readonly types: string;
  /** What homeserver.yaml lets it do. */
  readonly mode: "off" | "shadow" | "enforce";
  /** Where it runs: on Node's main thread, in the thread of the shadow modules, or in one of its own. */
  readonly thread: "main" | "shadow" | "own";
  readonly callbacks: readonly CheckedCallback[];
  /** Their paths; null where they depend on a config that is missing or wrong. */
  readonly web_resources: readonly string[] | null;
  /** The topics that it receives. */
  readonly broadcasts: readonly string[];
};

/** A callback of a module; of auth_checkers, one login type. A key is null where it depends on a config that is missing or wrong. */
export type CheckedCallback = {
  readonly name: string;
  readonly login_type?: string;
  /** Of a login: the fields that a client sends. */
  readonly fields?: readonly string[];
  /** The conditions under which the module is asked. */
  readonly match?: { readonly [key: string]: unknown } | null;
  /** The state events that come with the call, as pairs of type and state key; a state key of null stands for all. */
  readonly room_state?: readonly (readonly unknown[])[];
  /** How long an answer is kept for equal questions: a duration, or milliseconds. */
  readonly ttl?: string | number | null;
  /** The shim fills in the module's template, and asks nobody. */
  readonly template?: boolean;
  /** The failure policy, under the settings of homeserver.yaml. */
  readonly policy?: TextByOrigin;
  readonly timeout_ms?: NumberByOrigin;
  /** The processes of Synapse that ask it; empty for all. */
  readonly processes?: readonly string[];
};

/** For calls about our own users, and about those of other servers. */
export type TextByOrigin = {
  readonly local: string;
  readonly federated: string;
};

/** As `TextByOrigin`. */
export type NumberByOrigin = {
  readonly local: number;
  readonly federated: number;
};

// Generated from schemas/ by `npm run generate`: do not edit.
// The protocol of shim and host: docs/reference/protocol.md.
import type { DatabaseStatement, Event } from "../sdk/wire-types.js";

/** The version of the protocol: shim and host must have the same. */
export const PROTOCOL = 1;

export const LIMITS = {
  /** The body of one frame. One that claims more breaks the stream. */
  frame_bytes: 67108864,
  /** The header of one frame, up to the empty line that ends it. */
  header_bytes: 1024,
  /** One line of the records, or of standard error. The rest of a longer line is skipped. */
  line_bytes: 65536,
  /** Lines of the log that are taken of each module within `log_window_ms`. The others are counted and told. */
  log_lines: 2000,
  /** The time for which the lines of the log are counted. */
  log_window_ms: 10000,
  /** Frames of the host in a row whose body is no JSON object. With one more the shim ends the host. */
  unreadable_frames: 30,
  /** The body of a web request, of its answer, and of an answer to http_client. As base64 it must fit into a frame. */
  body_bytes: 10485760,
  /** The text of a snapshot. */
  snapshot_characters: 41943040,
  /** How long the answer to `initialize` may take, where the admin has set no `start_timeout`. */
  start_timeout_ms: 30000,
  /** How long one attempt of a module's `setup` may take. The next comes after a pause. */
  setup_attempt_ms: 30000,
  /** How often the host sends `pulse`. */
  pulse_ms: 500,
  /** After so long without a byte of the host, the shim sends it SIGINT. */
  interrupt_after_ms: 3000,
  /** After so long without a byte of the host, the shim kills it. */
  kill_after_ms: 5000,
  /** How long the host may go on once its input has ended, when Synapse stops. Then the shim kills it. */
  finish_ms: 2000,
  /** How long the statements of one run_db_interaction may take, from the moment that they have a connection. */
  transaction_statements_ms: 3000,
  /** How long the function of one run_db_interaction may take, from the moment that it has a connection. */
  transaction_function_ms: 500,
} as const;

export const ERROR_CODES = {
  /** A module threw a SynapseError (host to shim), or Synapse raised one (shim to host). */
  synapse_error: -32001,
  /** A module's handler threw something else, or its answer does not fit. */
  module_fault: -32002,
  /** A module cannot answer: its setup has not succeeded yet. */
  module_unavailable: -32003,
  /** A module called a ModuleApi write that `grants` does not list. */
  not_granted: -32004,
  /** A module awaited a membership change inside a callback that decides about a membership of the same room. */
  membership_locked: -32011,
  /** A ModuleApi method was called in a process of Synapse that cannot do it. */
  wrong_process: -32012,
  /** State, a media file or a request was used after its call had ended. */
  call_over: -32006,
  /** A ModuleApi call failed in Synapse with an exception that is not a SynapseError. */
  api_error: -32005,
  /** SQL of a module failed, and its transaction was rolled back. */
  database_error: -32010,
  /** A server that a module asked with http_client answered with a status that is not 2xx. */
  http_response_exception: -32013,
  /** The thread that a call's module ran in has ended, or was ended since its event loop stood still. */
  module_ended: -32014,
  /** The request was cancelled; `module` was running. */
  cancelled: -32800,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

/** Those that a module catches as an ApiError. */
export const API_ERRORS = [
  "not_granted",
  "membership_locked",
  "wrong_process",
  "call_over",
  "api_error",
] as const;

export const CAUSES = {
  /** A module's code has thrown, and nobody has caught it. */
  uncaught: "an error was not caught",
  /** A promise of a module's was rejected, and nobody has handled it. */
  unhandled: "a rejected promise was not handled",
  /** A module has ended the process. */
  exit: "it called process.exit",
  /** A module has ended the process. */
  abort: "it called process.abort",
  /** A module has ended the process by a signal, which is named. */
  signal: "it sent itself",
  /** The host has ended itself, since native code keeps too many of its threads. No call is suspected for it. */
  held: "native code holds",
  /** The heap was full. */
  memory: "out of memory",
  /** The event loop stood still for too long. */
  blocked: "event loop blocked",
  /** What came was no sequence of frames. */
  broken: "it broke the stream",
  /** It gave no sign of life for too long, and was killed. */
  silent: "it did not answer",
} as const;

/** Why policy answered. */
export type Reason =
  | "breaker"
  | "deadline"
  | "down"
  | "error"
  | "fault"
  | "gone"
  | "host error"
  | "overload"
  | "params"
  | "quarantine"
  | "queue full"
  | "reply"
  | "setup"
  | "too_large";

/** What goes with an error. */
export type ErrorData = {
  readonly synapse_error: { module?: string; code: number; msg: string; errcode: string; additional_fields: { readonly [key: string]: unknown }; asked?: AskedModules };
  readonly module_fault: { module: string; kind: FaultKind; asked?: AskedModules };
  readonly module_unavailable: { module: string; reason?: string; asked?: AskedModules };
  readonly not_granted: { module: string; method: string };
  readonly membership_locked: { room_id: string };
  readonly wrong_process: { process: string };
  readonly call_over: Record<string, never>;
  readonly api_error: { class: string };
  readonly database_error: { class: string; sqlstate: string | null; statement: number | null };
  readonly http_response_exception: { code: number; msg: string; response: string };
  readonly module_ended: { module: string | null; cause: string; began: boolean; asked?: AskedModules };
  readonly cancelled: { module?: string; asked?: AskedModules };
};

/** What the shim asks. */
export type ShimRequests = {
  /** Loads the modules, runs no `setup`, and gives what they declare and all that is wrong with them. It comes first, and once. */
  readonly initialize: {
    readonly params: Initialize;
    readonly result: Manifest;
    readonly errors: "invalid_request";
  };
  /** One call of a callback of Synapse, by its name: asks the modules in order until one decides. */
  readonly [method: `callback/${string}`]: {
    readonly params: Call;
    readonly result: Reply;
    readonly errors: "synapse_error" | "module_fault" | "module_unavailable" | "module_ended" | "cancelled" | "invalid_params";
  };
  /** Runs, once, what a module has left for later in its answer to a callback. */
  readonly follow_up: {
    readonly params: FollowUpCall;
    readonly result: FollowUpReply;
    readonly errors: "synapse_error" | "module_fault" | "module_unavailable" | "module_ended" | "cancelled" | "invalid_params";
  };
  /** A client's HTTP request to a web resource of a module. */
  readonly web: {
    readonly params: WebCall;
    readonly result: WebAnswer;
    readonly errors: "synapse_error" | "module_fault" | "module_unavailable" | "module_ended" | "cancelled";
  };
  /** Waits until each module's `setup` has been tried once, and tells which have failed. */
  readonly set_up: {
    readonly params: NoParams;
    readonly result: SetUpReply;
    readonly errors: "cancelled";
  };
  /** Waits until a thread for calls that are asked apart has these modules, all set up, and has stood for a while since. */
  readonly set_up_apart: {
    readonly params: SetUpApart;
    readonly result: SetUpApartReply;
    readonly errors: "module_unavailable" | "cancelled";
  };
};

/** What the shim tells. */
export type ShimNotifications = {
  /** Synapse runs: each module's `setup` is run, and from now on the host sends `pulse`. It may come again. */
  readonly start: NoParams;
  /** Records of a module below this level need not be written. It may come again. */
  readonly log_levels: LogLevels;
  /** Nobody waits for the answer to this request any more. The host answers it all the same, mostly with `cancelled`. */
  readonly "$/cancelRequest": Cancel;
};

/** What the host asks. */
export type HostRequests = {
  /** Events of the state of the room that a call is about. */
  readonly "state/get": {
    readonly params: StateGet;
    readonly result: RoomEvents;
    readonly errors: "call_over";
  };
  /** The keys of that state. */
  readonly "state/keys": {
    readonly params: StateKeys;
    readonly result: StateKeyPairs;
    readonly errors: "call_over";
  };
  /** A method of the ModuleApi whose access is `read` or `write`, by its name. The result is of the declared type. */
  readonly [method: `api/${string}`]: {
    readonly params: ApiRequest;
    readonly result: unknown;
    readonly errors: "synapse_error" | "http_response_exception" | "database_error" | "not_granted" | "membership_locked" | "wrong_process" | "call_over" | "api_error";
  };
  /** Begins a transaction (PostgreSQL only) that is open for `transaction_function_ms`, and is then rolled back. */
  readonly "api/run_db_interaction/begin": {
    readonly params: TransactionBegin;
    readonly result: OpenTransaction;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Runs one statement in it. After an error the transaction is rolled back, and each further step fails. */
  readonly "api/run_db_interaction/execute": {
    readonly params: TransactionExecute;
    readonly result: StatementResult;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Commits it. Answered once that is done. */
  readonly "api/run_db_interaction/commit": {
    readonly params: TransactionEnd;
    readonly result: Null;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Rolls it back. Answered once that is done. */
  readonly "api/run_db_interaction/roll_back": {
    readonly params: TransactionEnd;
    readonly result: Null;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Renders a template that `read_templates` has named. */
  readonly "templates/render": {
    readonly params: TemplateRender;
    readonly result: string;
    readonly errors: "api_error";
  };
};

/** What the host tells. */
export type HostNotifications = {
  /** The event loop turns, and how the host is. Sent from `start` on. */
  readonly pulse: Pulse;
  /** The file of this module is about to run, which may end or hang the host. It must have left the host before that. */
  readonly loading: Loading;
  /** The thread of these modules has ended, and another takes its place. */
  readonly thread_ended: ThreadEnded;
  /** A module has answered a callback with a `membership_lock`, and has calls of the api under way: they need not be given up. */
  readonly "api/not_awaited": NotAwaited;
};

/** What the records hold, by their kind. */
export type RecordKinds = {
  /** A record of the log of the host or of a module, in pino's shape. */
  readonly log: LogRecord;
  /** A line that a module has printed. */
  readonly printed: Printed;
  /** Lines of a module that the host could not hand over in time. */
  readonly dropped: Dropped;
  /** Why the process is about to end, and which module ends it. It counts if the process then ends so. */
  readonly ends: Ends;
};

/** No parameters. */
export type NoParams = Record<string, never>;

/** Nothing: it is done. */
export type Null = null;

/** Names of modules. */
export type Names = readonly string[];

/** What a host is told first. */
export type Initialize = {
  /** The version of the protocol. */
  readonly protocol: number;
  /** The shim's. A host of another version answers with a startup problem. */
  readonly version: string;
  /** SHA-256 of schemas/*.json, in the order of their names. */
  readonly catalogue: string;
  readonly synapse: SynapseInfo;
  /** How long a thread that comes later may take to load its modules. */
  readonly start_timeout_ms: number;
  /** How long to bear that native code holds too many threads, before the host ends: at once, if absent. */
  readonly held_patience_ms?: number;
  /** In the order in which they are asked. */
  readonly modules: readonly ConfiguredModule[];
  /** At a restart: what the modules were loaded from when they were accepted. They are loaded from it again. */
  readonly snapshot?: readonly Part[];
};

/** What the synchronous part of the ModuleApi answers from. */
export type SynapseInfo = {
  readonly version: string;
  readonly server_name: string;
  readonly worker_name?: string | null;
  readonly worker_app?: string | null;
  readonly public_baseurl?: string | null;
  readonly email_app_name?: string;
  readonly custom_template_dir?: string | null;
  readonly run_background_tasks: boolean;
  readonly [key: string]: unknown;
};

/** One module of the configuration. */
export type ConfiguredModule = {
  /** Absolute. */
  readonly path: string;
  /** By default the file's, without its ending. */
  readonly name?: string;
  readonly config?: unknown;
  /** Where the shim has read `config`, if not in homeserver.yaml. */
  readonly config_source?: string;
  /** Why there is no `config`. */
  readonly config_fault?: string;
  readonly grants?: readonly string[] | "all";
  readonly shadow?: boolean;
  /** It has a thread of its own; shadow modules that have none share one. */
  readonly isolated?: boolean;
};

/** What some modules were loaded from together. */
export type Part = {
  readonly names: Names;
  /** The host's own affair. */
  readonly text: string;
};

/** What a host declares. */
export type Manifest = {
  readonly version: string;
  readonly catalogue: string;
  /** Such as `node v24.19.0`. */
  readonly runtime: string;
  /** Those that could be loaded, in order. */
  readonly modules: readonly DeclaredModule[];
  readonly faults: StartupProblems;
  /** What they were loaded from; absent where that was given. */
  readonly snapshot?: readonly Part[];
};

/** All that is wrong. */
export type StartupProblems = readonly StartupProblem[];

/** Something that keeps Synapse from starting: in the configuration, or in a module's file. */
export type StartupProblem = {
  /** Begins at the bridge's `config` block. */
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/** What a module declares. */
export type DeclaredModule = {
  readonly name: string;
  /** By the names in callbacks.json. */
  readonly callbacks: { readonly [key: string]: DeclaredCallback };
  /** Paths. */
  readonly web_resources: readonly string[];
  /** What it was loaded from, itself first. */
  readonly files: Digests;
  /** The files of packages that it was the first to load. */
  readonly packages: Digests;
  /** What a restart has to load from disk again. */
  readonly not_kept: readonly string[];
};

/** SHA-256 by path. */
export type Digests = { readonly [key: string]: string };

/** When a module is asked, and what is sent and kept. */
export type DeclaredCallback = {
  readonly match?: Match;
  readonly room_state?: WantedState;
  /** A duration for which the shim keeps answers. */
  readonly ttl?: string | number;
  /** A template that the shim applies instead of asking. */
  readonly fields?: { readonly [key: string]: unknown };
  /** Where modules declare a list: of auth_checkers. */
  readonly checkers?: readonly DeclaredLogin[];
};

/** Who logs in with this type, by these fields of the login. */
export type DeclaredLogin = {
  readonly login_type: string;
  readonly fields: readonly string[];
  readonly match?: Match;
  readonly ttl?: string | number;
};

/** When to ask. The reference of the callbacks tells what each part means. */
export type Match = {
  readonly not?: Conditions;
  readonly local?: boolean;
  readonly [key: string]: Condition | Conditions | boolean | undefined;
};

/** By path. */
export type Conditions = { readonly [key: string]: Condition };

/** What may be there. */
export type Condition = boolean | readonly string[];

/** Each [type, state_key]; null for all state keys. */
export type WantedState = readonly (readonly [string, string | null])[];

/** The envelope of a callback. */
export type Call = {
  /** A handle for `state/get`, `state/keys` and the api. */
  readonly call: number;
  /** Whom to ask, in order. */
  readonly modules: readonly string[];
  /** As callbacks.json declares them. */
  readonly params: { readonly [key: string]: unknown };
  /** Synapse's request id, for the log. */
  readonly request: string | null;
  /** For auth_checkers: which of the one module's checkers. */
  readonly entry?: number;
  /** Until its deadline. */
  readonly time_left_ms?: number;
  readonly apart?: Apart;
};

/** It may be what ended Node: it is asked in a thread made for that, and watched for so long after its answer. */
export type Apart = {
  readonly linger_ms: number;
};

/** What became of a call: the answer, who gave it, and who was asked. */
export type Reply = {
  /** Of the module that decided, else the first `pass` value of the result type. */
  readonly answer: unknown;
  /** Null if none decided; the last that edited. */
  readonly module: string | null;
  readonly asked: AskedModules;
};

/** Who was asked, in order. */
export type AskedModules = readonly Asked[];

/** A module that was asked, and how long that took. */
export type Asked = {
  readonly module: string;
  readonly ms: number;
};

/** Whether the handler threw, or its answer does not fit. */
export type FaultKind = "threw" | "answer";

/** What a module has left for later. */
export type FollowUpKey = {
  readonly module: string;
  /** Any text. */
  readonly id: string;
};

/** Asks for it. */
export type FollowUpCall = {
  readonly callback: string;
  readonly follow_up: FollowUpKey;
  readonly params: Editable;
  readonly request: string | null;
};

/** What it left behind. */
export type FollowUpReply = {
  /** The parameters, or null if they are as they were. */
  readonly edited: Editable | null;
};

/** The response of a login, or nothing. */
export type Editable = { readonly [key: string]: { readonly [key: string]: unknown } };

/** A client's HTTP request. */
export type WebCall = {
  readonly call: number;
  readonly module: string;
  /** As the module has declared it. */
  readonly path: string;
  readonly request: string | null;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** Base64. */
  readonly body: string;
};

/** What the client gets. */
export type WebAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Base64. */
  readonly body: string;
};

/** Of HTTP, each a name and a value. */
export type Headers = readonly (readonly [string, string])[];

/** How that went. */
export type SetUpReply = {
  /** Why, by module. */
  readonly failed: { readonly [key: string]: string };
};

/** Asks for the thread of some modules, to be had before a call is asked in it. */
export type SetUpApart = {
  readonly modules: Names;
  /** For how long it is watched, once it is set up. */
  readonly linger_ms: number;
};

/** The thread stands. */
export type SetUpApartReply = {
  /** How the one before it has ended, if that was between two calls and nothing has told so yet. */
  readonly ended: End | null;
};

/** How a thread has ended. */
export type End = {
  /** The module that has done it, where that is known. */
  readonly module: string | null;
  readonly cause: string;
};

/** A request. */
export type Cancel = {
  /** Its id. */
  readonly id: number | string;
};

/** Which records are wanted. */
export type LogLevels = {
  /** The lowest level, by module. The numbers are pino's: 20 is debug, 30 info, 40 warn, 50 error; 60 means fatal. */
  readonly levels: { readonly [key: string]: number };
};

/** How the host is. */
export type Pulse = {
  /** In bytes. */
  readonly memory: {
    readonly rss: number;
    readonly heap_used: number;
  };
  /** The modules whose `setup` has not succeeded. */
  readonly not_set_up: Names;
  /** Where modules run in threads. */
  readonly threads?: readonly ThreadState[];
};

/** How a thread is. */
export type ThreadState = {
  readonly modules: Names;
  readonly restarts: number;
  readonly heap_used: number;
};

/** A module. */
export type Loading = {
  /** Its place in `modules` of `initialize`. */
  readonly index: number;
  readonly name: string;
};

/** How it has ended. */
export type ThreadEnded = {
  readonly modules: Names;
  /** The one that did it, where that is known. */
  readonly module: string | null;
  readonly cause: string;
};

/** Which events. */
export type StateGet = {
  readonly call: number;
  /** Null for all. */
  readonly keys: WantedState | null;
};

/** Of a room. */
export type RoomEvents = readonly Event[];

/** A call. */
export type StateKeys = {
  readonly call: number;
};

/** Each [type, state_key]. */
export type StateKeyPairs = readonly (readonly [string, string])[];

/** The envelope of a method of the api. */
export type ApiRequest = {
  /** Who asks. */
  readonly module: string;
  /** The call that the module is in, for callbacks with a `membership_lock`, while it has not answered. */
  readonly call?: number;
  /** As api.json declares them. An optional one may be absent. */
  readonly params: { readonly [key: string]: unknown };
};

/** The envelope of this step. */
export type TransactionBegin = {
  readonly module: string;
  readonly call?: number;
  readonly params: {
    /** Names it in Synapse's log and metrics. */
    readonly desc: string;
  };
};

/** Its number. */
export type OpenTransaction = {
  readonly transaction: number;
};

/** The envelope of this step. */
export type TransactionExecute = {
  readonly module: string;
  readonly call?: number;
  readonly params: {
    readonly transaction: number;
    readonly statement: DatabaseStatement;
  };
};

/** The envelope of these steps. */
export type TransactionEnd = {
  readonly module: string;
  readonly call?: number;
  readonly params: OpenTransaction;
};

/** One of the DatabaseResults. */
export type StatementResult = {
  /** Their names. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly rowcount: number;
};

/** A value of the database; bytes in base64, and what a JSON or array column holds, are each in an object. */
export type Cell = string | number | boolean | null | {
  readonly bytes: string;
} | {
  readonly json: unknown;
};

/** By whom, and in which call. */
export type NotAwaited = {
  readonly call: number;
  readonly module: string;
};

/** Which template, and with what. */
export type TemplateRender = {
  readonly filename: string;
  readonly custom_template_directory?: string | null;
  readonly variables: { readonly [key: string]: unknown };
};

/** The host writes `level`, `time`, `module` and `request` before anything that a module adds. Of a key that comes twice, the first counts. */
export type LogRecord = {
  readonly level: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly module?: string | null;
  readonly request?: string | null;
  readonly msg?: unknown;
  readonly err?: unknown;
  readonly [key: string]: unknown;
};

/** One line. */
export type Printed = {
  readonly module: string | null;
  readonly request: string | null;
  readonly text: string;
};

/** How many. */
export type Dropped = {
  readonly module: string | null;
  readonly lines: number;
};

/** How the process ends. */
export type Ends = {
  readonly cause: string;
  readonly module: string | null;
  /** The exit code, or the number of a signal, negative. */
  readonly code: number;
};

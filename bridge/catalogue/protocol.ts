// Generated from schemas/ by `npm run generate`: do not edit.
// The protocol of shim and host: docs/reference/protocol.md.
import type { DatabaseStatement, Event } from "../sdk/wire-types.js";

/** The version of the protocol: shim and host must have the same. */
export const PROTOCOL = 1;

export const LIMITS = {
  /** The body of one frame. A frame that claims more breaks the stream. */
  frame_bytes: 67108864,
  /** The header of one frame, up to the empty line that ends it. */
  header_bytes: 1024,
  /** One line of the records, or of standard error. The rest of a longer line is skipped. */
  line_bytes: 65536,
  /** How many log lines of one module the shim takes in `log_window_ms`. It counts and reports the others. */
  log_lines: 2000,
  /** The time over which log lines are counted. */
  log_window_ms: 10000,
  /** How many frames in a row the host may send whose body is not a JSON object. After one more the shim kills the host. */
  unreadable_frames: 30,
  /** The body of a web request, of its response, and of a response to http_client. It must fit into a frame as base64. */
  body_bytes: 10485760,
  /** The text of a snapshot. */
  snapshot_characters: 41943040,
  /** How long the answer to `initialize` may take, unless the admin sets `start_timeout`. */
  start_timeout_ms: 30000,
  /** How long one attempt of a module's `setup` may take. The next attempt comes after a pause. */
  setup_attempt_ms: 30000,
  /** How often the host sends `pulse`. */
  pulse_ms: 100,
  /** After this time without a byte from the host, the shim sends it SIGINT. */
  interrupt_after_ms: 3000,
  /** The same, where a request has waited for so long, and for half of its time. Not while a module is being set up. */
  interrupt_early_ms: 1000,
  /** If SIGINT has not ended the host after this time, the shim kills it. */
  kill_after_ms: 1000,
  /** How long the event loop of an isolated module's thread may be blocked. Then the host ends the thread. A thread of shadow modules has `interrupt_after_ms`, as the host itself has. */
  thread_blocked_ms: 1500,
  /** How long the event loop of the thread for suspects may be blocked, and at most half of the time left. Then the host ends the thread. */
  suspect_blocked_ms: 1000,
  /** How many calls, follow-ups and web requests the shim has under way at once. The host may still be working on some more that were cancelled. */
  requests_at_once: 256,
  /** How many functions the host keeps for each callback until `follow_up` asks for them. It forgets the oldest. */
  follow_ups: 1000,
  /** How long the host keeps such a function. */
  follow_up_ms: 86400000,
  /** The same for a callback that is `secret`. */
  secret_follow_up_ms: 300000,
  /** The text of a reason that a module gives. The host shortens it; the shim leaves a longer one out. */
  reason_characters: 200,
  /** The details of a reason, as JSON. The host leaves longer ones out, and the shim such a reason. */
  reason_details_characters: 1024,
  /** How long a module's `close` may take, before its host or its thread ends. */
  close_ms: 2000,
  /** When Synapse stops: how long the host may go on after its input has ended, and `close_ms` more if modules close. Then the shim kills it. */
  finish_ms: 2000,
  /** The body of a request that is a parameter of a callback. */
  callback_body_bytes: 1048576,
  /** The JSON of a broadcast's topic and value, in a list. */
  broadcast_bytes: 4096,
  /** How many broadcasts a module may send in a minute, from one process. Each one is a row in Synapse's database for a week. */
  broadcasts_a_minute: 600,
  /** How many broadcasts may wait for one module in one process. Further ones are dropped and counted. */
  broadcasts_waiting: 1000,
  /** How long a module's handler may take for one broadcast, before the next one is delivered. */
  broadcast_ms: 5000,
  /** How long the statements of one run_db_interaction may take, from the moment they have a connection. */
  transaction_statements_ms: 3000,
  /** How long the function of one run_db_interaction may take, from the moment it has a connection. */
  transaction_function_ms: 500,
  /** How long a local call may take, unless the admin sets `timeout`. */
  local_timeout_ms: 5000,
  /** The same for a federated call. */
  federated_timeout_ms: 2000,
  /** How many answers of one entry are kept for its `ttl`. The least recently used one goes. */
  kept_answers: 10000,
  /** The JSON of an answer that is kept. A larger one is shared by the calls that wait for it. */
  kept_answer_bytes: 4096,
  /** A key of the store, in UTF-8. */
  store_key_bytes: 512,
  /** The JSON of a value of the store. */
  store_value_bytes: 65536,
  /** How many entries `store.list` may be asked for at once. */
  store_list_entries: 500,
  /** How many it gives without a `limit`. */
  store_list_default_entries: 100,
  /** The largest number that `store.increment` makes. */
  store_count: 999999999999999,
  /** How far the clocks of two processes may differ before `store.increment` takes it for a clock that was set back. */
  store_clock_ms: 60000,
  /** The longest `ttl` of an entry of the store: 100 years. */
  store_ttl_ms: 3153600000000,
} as const;

export const ERROR_CODES = {
  /** A module threw a SynapseError (host to shim), or Synapse raised one (shim to host). */
  synapse_error: -32001,
  /** A module's handler threw something else, or its answer has the wrong type. */
  module_fault: -32002,
  /** A module cannot answer, because its setup has not succeeded yet. */
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
  /** A module's SQL failed, and its transaction was rolled back. */
  database_error: -32010,
  /** Another server answered http_client with a status that is not 2xx. */
  http_response_exception: -32013,
  /** The thread of a call's module has ended, or was ended because its event loop was blocked. */
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
  /** A module's code has thrown, and nothing has caught it. */
  uncaught: "an error was not caught",
  /** A module's promise was rejected, and nothing has handled it. */
  unhandled: "a rejected promise was not handled",
  /** A module has ended the process. */
  exit: "it called process.exit",
  /** A module has ended the process. */
  abort: "it called process.abort",
  /** A module has sent the process a signal, which is named. */
  signal: "it sent itself",
  /** The host has ended itself because native code holds too many of its threads. No call becomes a suspect. */
  held: "native code holds",
  /** The heap was full. */
  memory: "out of memory",
  /** The event loop was blocked for too long. */
  blocked: "event loop blocked",
  /** What came was not a sequence of frames. */
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
  | "host_error"
  | "overload"
  | "params"
  | "quarantine"
  | "queue_full"
  | "reply"
  | "setup"
  | "too_large";

/** What goes with an error. */
export type ErrorData = {
  readonly synapse_error: { module?: string; code: ErrorStatus; msg: string; errcode: string; additional_fields: { readonly [key: string]: unknown }; asked?: AskedModules; given_reason?: GivenReason };
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
  /** Loads the modules without their `setup`. The answer has what they declare and everything that is wrong with them. This request comes first, and only once. */
  readonly initialize: {
    readonly params: Initialize;
    readonly result: Manifest;
    readonly errors: "invalid_request";
  };
  /** One call of the callback of that name. The host asks the modules in order until one decides. */
  readonly [method: `callback/${string}`]: {
    readonly params: Call;
    readonly result: Reply;
    readonly errors: "synapse_error" | "module_fault" | "module_unavailable" | "module_ended" | "cancelled" | "invalid_params";
  };
  /** Runs, once, a function that a module's answer to a callback has left for later. */
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
  /** A broadcast of this module, from this process or another. The host runs the module's handlers one after another, and answers when this one has ended. A host that is about to take over gets it, too. */
  readonly broadcast: {
    readonly params: Broadcast;
    readonly result: BroadcastReply;
    readonly errors: "module_ended" | "cancelled";
  };
  /** Waits until each module's `setup` has been tried once. The answer names those that have failed. */
  readonly set_up: {
    readonly params: NoParams;
    readonly result: SetUpReply;
    readonly errors: "cancelled";
  };
  /** Waits until the thread for suspects has these modules, all set up, and has run for a while since. */
  readonly set_up_apart: {
    readonly params: SetUpApart;
    readonly result: SetUpApartReply;
    readonly errors: "module_unavailable" | "cancelled";
  };
};

/** What the shim tells. */
export type ShimNotifications = {
  /** Synapse runs. The host runs each module's `setup`, and sends `pulse` from now on. It may come again. */
  readonly start: NoParams;
  /** The host need not write records of a module below this level. It may come again. */
  readonly log_levels: LogLevels;
  /** Nobody waits for the answer to this request any more. The host answers it all the same, usually with `cancelled`. */
  readonly "$/cancelRequest": Cancel;
};

/** What the host asks. */
export type HostRequests = {
  /** Gives state events of the room that a call is about. */
  readonly "state/get": {
    readonly params: StateGet;
    readonly result: RoomEvents;
    readonly errors: "call_over";
  };
  /** Gives the keys of that state. */
  readonly "state/keys": {
    readonly params: StateKeys;
    readonly result: StateKeyPairs;
    readonly errors: "call_over";
  };
  /** Calls the method of that name of the ModuleApi: one whose access is `read` or `write`. The result has the declared type. */
  readonly [method: `api/${string}`]: {
    readonly params: ApiRequest;
    readonly result: unknown;
    readonly errors: "synapse_error" | "http_response_exception" | "database_error" | "not_granted" | "membership_locked" | "wrong_process" | "call_over" | "api_error";
  };
  /** Begins a transaction (PostgreSQL only). After `transaction_function_ms` it is rolled back. */
  readonly "api/run_db_interaction/begin": {
    readonly params: TransactionBegin;
    readonly result: OpenTransaction;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Runs one statement in the transaction. After an error the transaction is rolled back, and each further step fails. */
  readonly "api/run_db_interaction/execute": {
    readonly params: TransactionExecute;
    readonly result: StatementResult;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Commits the transaction. The answer comes once that is done. */
  readonly "api/run_db_interaction/commit": {
    readonly params: TransactionEnd;
    readonly result: Null;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Rolls the transaction back. The answer comes once that is done. */
  readonly "api/run_db_interaction/roll_back": {
    readonly params: TransactionEnd;
    readonly result: Null;
    readonly errors: "not_granted" | "database_error" | "api_error";
  };
  /** Renders a template from the answer of `read_templates`. */
  readonly "templates/render": {
    readonly params: TemplateRender;
    readonly result: string;
    readonly errors: "api_error";
  };
};

/** What the host tells. */
export type HostNotifications = {
  /** A sign that the event loop runs, with the state of the host. The host sends it from `start` on. */
  readonly pulse: Pulse;
  /** The file of this module is about to run, and may crash or hang the host. The message must leave the host before that. */
  readonly loading: Loading;
  /** The thread of these modules has ended, and another replaces it. */
  readonly thread_ended: ThreadEnded;
  /** A module has answered a callback with a `membership_lock` while calls of the api are under way. The shim need not give them up. */
  readonly "api/not_awaited": NotAwaited;
};

/** What the records hold, by their kind. */
export type RecordKinds = {
  /** A log record of the host or of a module, in pino's shape. */
  readonly log: LogRecord;
  /** A line that a module has printed. */
  readonly printed: Printed;
  /** How many lines of a module the host could not hand over in time. */
  readonly dropped: Dropped;
  /** Why the process is about to end, and which module ends it. The shim believes it only if the process then ends in that way. */
  readonly ends: Ends;
};

/** No parameters. */
export type NoParams = Record<string, never>;

/** Nothing. It is done. */
export type Null = null;

/** An HTTP status that says that a request has failed. */
export type ErrorStatus = number;

/** Names of modules. */
export type Names = readonly string[];

/** The first message to a host. */
export type Initialize = {
  /** The version of the protocol. */
  readonly protocol: number;
  /** The version of the shim. A host of another version answers with a startup problem. */
  readonly version: string;
  /** SHA-256 of schemas/*.json, in the order of their names. */
  readonly catalogue: string;
  readonly synapse: SynapseInfo;
  /** How long a thread that comes later may take to load its modules. */
  readonly start_timeout_ms: number;
  /** Whether a debugger may pause the host or a thread: then nothing is ended because it stands still. */
  readonly debug?: boolean;
  /** How long the host goes on while native code holds too many threads, before it ends itself. If absent, it ends at once. */
  readonly held_patience_ms?: number;
  /** The modules, in the order in which they are asked. */
  readonly modules: readonly ConfiguredModule[];
  readonly record?: Recording;
  /** At a restart: what the modules were loaded from when they were accepted. The host loads them from it again. */
  readonly snapshot?: readonly Part[];
};

/** Where and what the host records. If absent, it records nothing. */
export type Recording = {
  /** Absolute. */
  readonly folder: string;
  /** By the names in callbacks.json. */
  readonly callbacks: readonly string[];
  /** How long files are kept. */
  readonly keep_ms: number;
  /** How much the folder may hold, with the files of all processes. */
  readonly limit_bytes: number;
  /** For `check`: the host tells what is wrong with the folder, and records nothing. */
  readonly examined?: boolean;
};

/** The values that the synchronous part of the ModuleApi answers with. */
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
  /** By default the name of the file, without its extension. */
  readonly name?: string;
  readonly config?: unknown;
  /** The file that the shim has read `config` from, if it is not homeserver.yaml. */
  readonly config_source?: string;
  /** Why the shim could not read `config`. */
  readonly config_fault?: string;
  readonly grants?: readonly string[] | "all";
  /** What the module may do. By default it enforces. One that is off is loaded only for what it declares, and at a restart not at all. */
  readonly mode?: "enforce" | "shadow" | "off";
  /** The module has its own thread. Shadow modules that are not isolated share one. */
  readonly isolated?: boolean;
};

/** What some modules were loaded from together. */
export type Part = {
  readonly names: Names;
  /** Only the host knows what it means. */
  readonly text: string;
};

/** What a host declares. */
export type Manifest = {
  readonly version: string;
  readonly catalogue: string;
  /** Such as `node v24.19.0`. */
  readonly runtime: string;
  /** The modules that could be loaded, in order. */
  readonly modules: readonly DeclaredModule[];
  readonly faults: StartupProblems;
  /** What is wrong with modules that are off. It stops nothing, and such a module is among `modules` without callbacks. */
  readonly broken: StartupProblems;
  /** What they were loaded from. Absent if the shim sent a snapshot. */
  readonly snapshot?: readonly Part[];
};

/** Everything that is wrong. */
export type StartupProblems = readonly StartupProblem[];

/** Something that keeps Synapse from starting, in the configuration or in a module's file. */
export type StartupProblem = {
  /** The path within the bridge's `config` block. */
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
  /** The topics that it receives. */
  readonly broadcasts: readonly string[];
  /** The files that it was loaded from, its own first. */
  readonly files: Digests;
  /** The files of packages that this module was the first to load. */
  readonly packages: Digests;
  /** What a restart has to load from disk. */
  readonly not_kept: readonly string[];
};

/** SHA-256 by path. */
export type Digests = { readonly [key: string]: string };

/** When a module is asked, what is sent along, and what is kept. */
export type DeclaredCallback = {
  readonly match?: Match;
  readonly room_state?: WantedState;
  /** How long the shim keeps answers. */
  readonly ttl?: string | number;
  /** A template that the shim fills in instead of asking. */
  readonly fields?: { readonly [key: string]: unknown };
  /** The entries of auth_checkers. */
  readonly checkers?: readonly DeclaredLogin[];
};

/** A login type, and the fields of the login that its check needs. */
export type DeclaredLogin = {
  readonly login_type: string;
  readonly fields: readonly string[];
  readonly match?: Match;
  readonly ttl?: string | number;
};

/** When to ask the module. The page on matching and caching says what each part means. */
export type Match = {
  readonly not?: Conditions;
  readonly local?: boolean;
  readonly [key: string]: Condition | Conditions | boolean | undefined;
};

/** Conditions by path. */
export type Conditions = { readonly [key: string]: Condition };

/** The value, or globs of which one must fit. */
export type Condition = boolean | readonly string[];

/** A list of [type, state_key]. Null stands for all state keys. */
export type WantedState = readonly (readonly [string, string | null])[];

/** One call of a callback. */
export type Call = {
  /** The number that stands for this call in `state/get`, `state/keys` and requests of the api. */
  readonly call: number;
  /** The modules to ask, in order. */
  readonly modules: readonly string[];
  /** As callbacks.json declares them. */
  readonly params: { readonly [key: string]: unknown };
  /** Synapse's request id, for the log. */
  readonly request: string | null;
  /** For auth_checkers: which of the module's checkers to ask. */
  readonly entry?: number;
  /** The time until the deadline. */
  readonly time_left_ms?: number;
  readonly apart?: Apart;
};

/** The call is a suspect. The host asks it in a separate thread, and watches the thread for this time after the answer. */
export type Apart = {
  readonly linger_ms: number;
};

/** The result of a call: the answer, the module that gave it, and the modules that were asked. */
export type Reply = {
  /** The answer of the module that decided, else the first `pass` value of the result type. */
  readonly answer: unknown;
  /** The module that decided, or that edited last; null if there is none. */
  readonly module: string | null;
  readonly asked: AskedModules;
  readonly given_reason?: GivenReason;
};

/** Why a module has decided so, as it says itself: for the records of the admin, and never for a client. */
export type GivenReason = {
  /** At most `reason_characters`. */
  readonly text: string;
  /** JSON of at most `reason_details_characters`. */
  readonly details?: string;
};

/** The modules that were asked, in order. */
export type AskedModules = readonly Asked[];

/** A module that was asked, and how long it took. */
export type Asked = {
  readonly module: string;
  readonly ms: number;
  /** The handler of a notification failed: the modules after it were asked all the same. */
  readonly failed?: true;
};

/** Whether the handler threw, or its answer has the wrong type. */
export type FaultKind = "threw" | "answer";

/** A function that a module has left for later. */
export type FollowUpKey = {
  readonly module: string;
  /** Any string. */
  readonly id: string;
};

/** Asks the host to run a function that was left for later. */
export type FollowUpCall = {
  readonly callback: string;
  readonly follow_up: FollowUpKey;
  readonly params: Editable;
  readonly request: string | null;
};

/** The result of that function. */
export type FollowUpReply = {
  /** The parameters, or null if the function has not changed them. */
  readonly edited: Editable | null;
};

/** The response of the login; empty for other callbacks. */
export type Editable = { readonly [key: string]: { readonly [key: string]: unknown } };

/** A client's HTTP request. */
export type WebCall = {
  readonly call: number;
  readonly module: string;
  /** The path that the module declares. */
  readonly path: string;
  readonly request: string | null;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** Base64. */
  readonly body: string;
};

/** The response for the client. */
export type WebAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Base64. */
  readonly body: string;
};

/** HTTP headers, each a name and a value. */
export type Headers = readonly (readonly [string, string])[];

/** A value that a module has sent to itself in all processes. */
export type Broadcast = {
  readonly module: string;
  readonly topic: string;
  readonly value: unknown;
};

/** What has become of it. */
export type BroadcastReply = {
  readonly outcome: BroadcastOutcome;
};

/** Whether the handler has done it, has thrown, or takes too long. `not_set_up`: the module's `setup` comes later, and reads anew. `undeclared`: the module has no handler for the topic, or is not here. */
export type BroadcastOutcome = "done" | "failed" | "late" | "not_set_up" | "undeclared";

/** Which modules could not be set up. */
export type SetUpReply = {
  /** The reason, by module. */
  readonly failed: { readonly [key: string]: string };
};

/** Asks for a thread with these modules, before a suspect is asked in it. */
export type SetUpApart = {
  readonly modules: Names;
  /** How long the host watches the thread once it is set up. */
  readonly linger_ms: number;
};

/** The thread is ready. */
export type SetUpApartReply = {
  /** How the thread before it has ended, if it ended between two calls and no message has said so yet. */
  readonly ended: End | null;
};

/** How a thread has ended. */
export type End = {
  /** The module that ended it, if that is known. */
  readonly module: string | null;
  readonly cause: string;
};

/** Names the request to cancel. */
export type Cancel = {
  /** The id of the request. */
  readonly id: number | string;
};

/** Which log records the shim wants. */
export type LogLevels = {
  /** The lowest level, by module. */
  readonly levels: { readonly [key: string]: number };
};

/** The state of the host. */
export type Pulse = {
  /** In bytes. */
  readonly memory: {
    readonly rss: number;
    readonly heap_used: number;
  };
  /** The modules whose `setup` has not succeeded. */
  readonly not_set_up: Names;
  /** The threads of modules, if there are any. */
  readonly threads?: readonly ThreadState[];
};

/** The state of a thread. */
export type ThreadState = {
  readonly modules: Names;
  readonly restarts: number;
  readonly heap_used: number;
};

/** The module whose file is about to run. */
export type Loading = {
  /** Its place in `modules` of `initialize`. */
  readonly index: number;
  readonly name: string;
};

/** How the thread of some modules has ended. */
export type ThreadEnded = {
  readonly modules: Names;
  /** The module that ended it, if that is known. */
  readonly module: string | null;
  readonly cause: string;
};

/** Names the state events to get. */
export type StateGet = {
  readonly call: number;
  /** Null stands for all. */
  readonly keys: WantedState | null;
};

/** State events of a room. */
export type RoomEvents = readonly Event[];

/** Names the call. */
export type StateKeys = {
  readonly call: number;
};

/** A list of [type, state_key]. */
export type StateKeyPairs = readonly (readonly [string, string])[];

/** One call of a method of the api. */
export type ApiRequest = {
  /** The module that calls it. */
  readonly module: string;
  /** The call that the module has not answered yet, for callbacks with a `membership_lock`. */
  readonly call?: number;
  /** As api.json declares them. Optional parameters may be absent. */
  readonly params: { readonly [key: string]: unknown };
};

/** One step of a transaction. */
export type TransactionBegin = {
  readonly module: string;
  readonly call?: number;
  readonly params: {
    /** The name of the transaction in Synapse's log and metrics. */
    readonly desc: string;
  };
};

/** The number of the transaction. */
export type OpenTransaction = {
  readonly transaction: number;
};

/** One step of a transaction. */
export type TransactionExecute = {
  readonly module: string;
  readonly call?: number;
  readonly params: {
    readonly transaction: number;
    readonly statement: DatabaseStatement;
  };
};

/** One of the last steps of a transaction. */
export type TransactionEnd = {
  readonly module: string;
  readonly call?: number;
  readonly params: OpenTransaction;
};

/** The result of one statement. */
export type StatementResult = {
  /** The names of the columns. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly rowcount: number;
};

/** A value of the database. Bytes (in base64) and values of JSON and array columns are wrapped in an object. */
export type Cell = string | number | boolean | null | {
  readonly bytes: string;
} | {
  readonly json: unknown;
};

/** The module and the call. */
export type NotAwaited = {
  readonly call: number;
  readonly module: string;
};

/** The template to render, and its variables. */
export type TemplateRender = {
  readonly filename: string;
  readonly custom_template_directory?: string | null;
  readonly variables: { readonly [key: string]: unknown };
};

/** The host writes `level`, `time`, `module` and `request` before anything that a module adds. If a key comes twice, the first one counts. */
export type LogRecord = {
  /** One of the log levels, or a number between them. */
  readonly level: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly module?: string | null;
  readonly request?: string | null;
  readonly msg?: unknown;
  readonly err?: unknown;
  readonly [key: string]: unknown;
};

/** A line that was printed. */
export type Printed = {
  readonly module: string | null;
  readonly request: string | null;
  readonly text: string;
};

/** How many lines were dropped. */
export type Dropped = {
  readonly module: string | null;
  readonly lines: number;
};

/** How the process is about to end. */
export type Ends = {
  readonly cause: string;
  readonly module: string | null;
  /** The exit code; for a signal, its number with a minus sign. */
  readonly code: number;
};

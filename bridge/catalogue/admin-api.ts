// Generated from schemas/ by `npm run generate`: do not edit.
// The admin API: docs/reference/admin-api.md.

export const ADMIN_LIMITS = {
  /** How often each process reads the modes and the requests for a reload. */
  mode_poll_ms: 1000,
  /** How often each process writes its status. */
  status_ms: 5000,
  /** After this time without a new status a process counts as gone. */
  status_expires_ms: 20000,
  /** How many decisions one answer has at most. */
  decisions_limit: 1000,
  /** How many decisions one answer has without `limit`. */
  decisions_default_limit: 100,
  /** How many new rows of decisions one process writes in a second. Further ones are counted. */
  decisions_a_second: 50,
  /** How many hours of modules and callbacks one answer has at most: the newest. */
  counters_limit: 10000,
  /** How many rooms, users and examples a shadow report has for each module. */
  shadow_top: 10,
  /** How many requests that only read one admin may send in a minute, to each process. */
  reads_a_minute: 600,
  /** How many requests of one kind one process answers at the same time. */
  at_once: 8,
  /** How many quarantines of a module a status lists. Further ones are counted. */
  quarantines_listed: 100,
  /** How many paths that differ on disk a status lists for a module. */
  paths_listed: 20,
  /** The text of a problem in a status. */
  problem_characters: 500,
  /** How often each process compares its modules' files with those on disk, for its status. */
  disk_look_ms: 30000,
  /** How many requests that change something one admin may send in a minute, to each process. */
  writes_a_minute: 30,
  /** The text of a note. */
  note_characters: 500,
  /** The body of a request. */
  body_bytes: 16384,
  /** How long POST reload waits for the processes. After that it answers with what it knows. */
  reload_wait_ms: 60000,
} as const;

/** What the admin API takes and answers. */
export type AdminEndpoints = {
  /** What runs: versions, processes, modules with their modes, what is not asked and why, and counts since the start. */
  readonly "GET status": {
    readonly answer: Status;
  };
  /** Who decided what about whom, when, and by which version of files and config. */
  readonly "GET decisions": {
    readonly query: {
      /** About this user. */
      readonly user?: string;
      /** In this room. */
      readonly room?: string;
      /** About this event. */
      readonly event?: string;
      /** By this module. */
      readonly module?: string;
      /** In this callback. */
      readonly callback?: string;
      /** With this outcome. */
      readonly outcome?: DecisionOutcome;
      /** By this version of the module's files: their hash, as a status has it. */
      readonly files?: string;
      /** By this version of its config: its hash. */
      readonly config?: string;
      /** Not before: milliseconds since the epoch, or a duration back from now, such as 24h. */
      readonly since?: number | string;
      /** At most so many rows. */
      readonly limit?: number;
      /** Goes on after an answer that had `next`. */
      readonly from?: string;
    };
    readonly answer: Decisions;
  };
  /** Erases what is stored about a user. */
  readonly "DELETE decisions": {
    readonly query: {
      /** The user. */
      readonly user: string;
    };
    readonly answer: Erased;
  };
  /** Sets the mode of a module in every process, within 5 s, and over restarts. */
  readonly "PUT modules/<name>": {
    readonly body: PutModule;
    readonly answer: ModuleMode;
  };
  /** Goes back to the mode of homeserver.yaml. */
  readonly "DELETE modules/<name>": {
    readonly answer: ModuleMode;
  };
  /** Reloads changed modules in every process, and tells what became of it. */
  readonly "POST reload": {
    readonly answer: Reload;
  };
  /** What the modules in shadow would have done, and what was really decided. */
  readonly "GET shadow": {
    readonly query: {
      /** Not before: milliseconds since the epoch, or a duration back from now, such as 24h. Without it, 7d. */
      readonly since?: number | string;
    };
    readonly answer: Shadow;
  };
  /** What modules were asked in each hour, in all processes together. */
  readonly "GET counters": {
    readonly query: {
      /** Not before: milliseconds since the epoch, or a duration back from now, such as 24h. Without it, 24h. */
      readonly since?: number | string;
      /** Of this module. */
      readonly module?: string;
    };
    readonly answer: Counters;
  };
  /** Ends a quarantine, in the process that has it. */
  readonly "DELETE quarantines/<id>": {
    readonly answer: EndedQuarantine;
  };
};

/** What a module may do: nothing, only be asked and recorded, or decide. */
export type Mode = "off" | "shadow" | "enforce";

/** A mode that an admin has set while Synapse ran. */
export type Override = {
  readonly mode: Mode;
  /** The admin's user id, or `command` for the command `mode`. */
  readonly by: string;
  /** When, in milliseconds since the epoch. */
  readonly ts: number;
  /** When it ends by itself, in milliseconds since the epoch. */
  readonly until?: number;
  readonly note?: string;
};

/** The body of PUT modules/<name>. */
export type PutModule = {
  readonly mode: Mode;
  /** When it ends by itself: milliseconds since the epoch, or a duration from now, such as 2h. */
  readonly until?: number | string;
  /** Why, for the record. */
  readonly note?: string;
};

/** A module and its mode. The answer to PUT and DELETE modules/<name>. */
export type ModuleMode = {
  readonly name: string;
  /** The mode that is wanted: that of the override, or else that of homeserver.yaml. Under `processes`, a status has the mode that is in force in each. */
  readonly mode: Mode;
  /** The mode of homeserver.yaml. */
  readonly yaml_mode: Mode;
  /** Absent where homeserver.yaml decides. */
  readonly override?: Override;
};

/** The answer to GET status. */
export type Status = {
  readonly server_name: string;
  /** When it was put together, in milliseconds since the epoch. */
  readonly ts: number;
  /** Synapse's version. */
  readonly synapse: string;
  /** The bridge's version. */
  readonly bridge: string;
  /** The modules of homeserver.yaml, with the modes that are wanted. */
  readonly modules: readonly ModuleMode[];
  /** What runs in each process, with the modes that are in force. */
  readonly processes: readonly Process[];
};

/** One process of Synapse, as of its last status. */
export type Process = {
  /** Its worker name, or `main`. */
  readonly name: string;
  /** When it wrote its status. A process that is gone for longer is left out. */
  readonly seen_ts: number;
  /** When this process of Synapse started. */
  readonly started_ts: number;
  /** False where `workers` keeps Node out of this process. */
  readonly runs_modules: boolean;
  /** Whether Node answers. */
  readonly up: boolean;
  /** Since when Node answers. */
  readonly up_since_ts?: number;
  /** Node's version. */
  readonly node?: string;
  /** How often Node has ended since Synapse started. */
  readonly restarts: number;
  /** When and why Node ended last. */
  readonly last_end?: {
    readonly ts: number;
    readonly cause: string;
  };
  /** Decisions that were counted and not stored. */
  readonly decisions_dropped: number;
  readonly modules: readonly ProcessModule[];
};

/** One module in one process. */
export type ProcessModule = {
  readonly name: string;
  /** The mode that is in force in this process. */
  readonly mode: Mode;
  /** The hash of the module's files that run. */
  readonly files: string;
  /** The hash of its config. */
  readonly config: string;
  /** Whether its `setup` is done; `off` where the module is off, `missing` where it could not be loaded. */
  readonly setup: "done" | "waiting" | "off" | "missing";
  /** Why it could not be loaded, or why its mode could not be changed. */
  readonly problem?: string;
  /** The modes that it cannot have before Synapse is restarted, each with the reason. */
  readonly restart_needed?: { readonly [key: string]: string };
  /** Paths of its files that have changed since they were loaded. */
  readonly differs_on_disk: readonly string[];
  /** The callbacks that are not asked for somebody, since they missed deadlines. */
  readonly breakers: readonly string[];
  readonly quarantines: readonly QuarantineEntry[];
  /** How many there are that are not listed. */
  readonly quarantines_more?: number;
  /** By callback, what it was asked since Synapse started. */
  readonly callbacks: { readonly [key: string]: CallbackCounts };
};

/** What a module is not asked about, since it has ended or hung Node. */
export type QuarantineEntry = {
  /** For DELETE quarantines/<id>. */
  readonly id: string;
  /** Of an author, a server or a question, the module is not asked; a path is not served. */
  readonly kind: "author" | "server" | "question" | "path";
  /** The user id, server name, callback or path. */
  readonly subject: string;
  /** In this callback. Absent for a path. */
  readonly callback?: string;
  /** In this room only. */
  readonly room?: string;
  /** Of a path: false where only some visitors are refused. */
  readonly for_all?: boolean;
  /** When it ends by itself, in milliseconds since the epoch. */
  readonly until?: number;
};

/** The answer to DELETE quarantines/<id>. */
export type EndedQuarantine = {
  readonly id: string;
  /** The processes that have it, or that list only some of theirs, and end it: this one at once, others within 5 s. */
  readonly processes: readonly string[];
};

/** What a module was asked in one callback. */
export type CallbackCounts = {
  /** How often it was asked. */
  readonly calls: number;
  /** Refusals, edits and replacements; of a shadow module, objections. */
  readonly refusals: number;
  /** Answers by policy, faults and errors. */
  readonly errors: number;
  /** Half of the answers took less time. Absent before the first call. */
  readonly p50_ms?: number;
  /** 99 in 100 answers took less time. */
  readonly p99_ms?: number;
};

/** What a module, or policy in its place, has done. Those that begin with `would_` are of a shadow module. */
export type DecisionOutcome = "refused" | "replaced" | "edited" | "error" | "fault" | "policy" | "would_refuse" | "would_replace" | "would_edit" | "would_error" | "would_fault" | "would_policy";

/** Who decided what about whom, without content. */
export type Decision = {
  readonly id: string;
  /** When it was decided first, in milliseconds since the epoch. */
  readonly ts: number;
  /** When it was decided last within this row. */
  readonly last_ts: number;
  /** How many such decisions this row stands for. */
  readonly count: number;
  /** Who decided. Several names with commas, where it is not known which of them. */
  readonly module: string;
  readonly callback: string;
  readonly outcome: DecisionOutcome;
  /** The code of a refusal, or the policy: allow, deny, defer. */
  readonly answer?: string;
  /** Why policy has answered, or the reason that the module gave. */
  readonly reason?: string;
  /** What the module gave with its reason. */
  readonly details?: { readonly [key: string]: unknown };
  /** Who acted: the sender, the inviter and so on. */
  readonly user?: string;
  readonly room?: string;
  /** Of several decisions, the event of the first. */
  readonly event?: string;
  /** For a shadow module: the outcome of the modules that decide. */
  readonly really?: string;
  /** Its worker name, or `main`. */
  readonly process: string;
  /** The hash of the module's files that decided. */
  readonly files: string;
  /** The hash of its config. */
  readonly config: string;
};

/** The answer to GET decisions: the newest first. */
export type Decisions = {
  readonly decisions: readonly Decision[];
  /** For `from`, where there are more. */
  readonly next?: string;
};

/** The answer to DELETE decisions?user=. */
export type Erased = {
  /** How many rows. */
  readonly erased: number;
};

/** The answer to GET shadow. */
export type Shadow = {
  /** Since when, in milliseconds since the epoch. Counts begin with the hour that this is in. */
  readonly since: number;
  /** Those that were in shadow since then. */
  readonly modules: readonly ShadowReport[];
};

/** What a shadow module would have done. */
export type ShadowReport = {
  readonly name: string;
  /** How often it was asked. */
  readonly asked: number;
  /** What it would have refused. */
  readonly would_refuse: number;
  /** Edits and replacements. */
  readonly would_edit: number;
  /** Faults, errors and answers by policy. */
  readonly failed: number;
  readonly callbacks: { readonly [key: string]: {
    readonly asked: number;
    readonly would_refuse: number;
    readonly would_edit: number;
    readonly failed: number;
  } };
  /** Those most concerned by objections. */
  readonly rooms: readonly Concerned[];
  /** The same of users. */
  readonly users: readonly Concerned[];
  /** Of its objections: by the outcome that was really decided, how many. */
  readonly really: { readonly [key: string]: number };
  /** Some of its newest objections, each with the version that objected. */
  readonly examples: readonly Decision[];
};

/** A room or a user, and how many objections were about it. */
export type Concerned = {
  readonly id: string;
  readonly count: number;
};

/** The answer to GET counters?since=&module=: what modules were asked in each hour, of all processes. */
export type Counters = {
  readonly hours: readonly Hour[];
};

/** What a module was asked in one callback within an hour. */
export type Hour = {
  /** The begin of the hour, in milliseconds since the epoch. */
  readonly hour_ts: number;
  readonly module: string;
  readonly callback: string;
  readonly calls: number;
  /** Refusals, edits and replacements; of a shadow module, objections. */
  readonly refusals: number;
  readonly errors: number;
  readonly p50_ms?: number;
  readonly p99_ms?: number;
};

/** The answer to POST reload: by process, what became of it. Processes without Node are left out. */
export type Reload = {
  readonly processes: { readonly [key: string]: ProcessReload };
};

/** What became of a reload in one process. */
export type ProcessReload = {
  /** `reloaded`: the new files run. `unchanged`: no file has changed. `failed`: the old files go on. `no_answer`: nothing is known after the wait, see `reload_wait_ms`; the process is slow, or gone. */
  readonly outcome: "reloaded" | "unchanged" | "failed" | "no_answer";
  /** The modules whose new files run. */
  readonly changed?: readonly string[];
  /** Why it has failed, and what to do. */
  readonly problem?: string;
};

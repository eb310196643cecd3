import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterAll } from "@jest/globals";
import { createMessageConnection, type MessageConnection, ResponseError } from "vscode-jsonrpc/node";
import { exactJson } from "../../../bridge/base/exact-json.js";
import { VERSION as REAL } from "../../../bridge/base/version.js";
import { catalogue } from "../../../bridge/catalogue/catalogue.js";
import {
  type DeclaredModule,
  type Initialize,
  type Part,
  PROTOCOL,
} from "../../../bridge/catalogue/protocol.js";
import type { ModuleSettings } from "../../../bridge/declarations/module.js";
import { Host } from "../../../bridge/host/host.js";
import { createLogger } from "../../../bridge/logging/log.js";
import { PipedRecords } from "../../../bridge/logging/records.js";
import { HeldThreads } from "../../../bridge/threads/held-threads.js";
import { FrameReader, FrameWriter } from "../../../bridge/transport/framing.js";
import { bundle } from "./bundle.js";

export const SYNAPSE = {
  version: "1.163.2",
  server_name: "example.org",
  worker_name: null,
  worker_app: null,
  public_baseurl: "https://example.org/",
  email_app_name: "Matrix",
  custom_template_dir: null,
  run_background_tasks: true,
};

export const VERSION = "MODULES_IN_THREADS" in globalThis ? REAL : "0.0.0-test";

/** What a host is told first, but the modules. */
export const INTRODUCTION: Omit<Initialize, "modules"> = {
  protocol: PROTOCOL,
  version: VERSION,
  catalogue: catalogue().hash,
  synapse: SYNAPSE,
  start_timeout_ms: 30_000,
};

/** The text of a module that answers one callback with what a function body returns. */
export function moduleOf(callback: string, body: string, before = ""): string {
  return `import { Codes, NOT_SPAM, SynapseError, defineModule } from "synapse-module-bridge";
${before}
export default defineModule({ callbacks: { async ${callback}(params: any, context: any) { ${body} } } } as any);
`;
}

export interface Rig {
  host: Host;
  shim: MessageConnection;
  /** The host's log lines so far. */
  lines: Record<string, unknown>[];
  /** Cuts the connection. */
  hangUp(): void;
  /** Ends the host's input after what was sent so far. */
  hangUpGently(): void;
  /** Loads modules and starts them; the test fails if there is a fault. */
  load(modules: ModuleSettings[]): Promise<void>;
  initialize(modules: ModuleSettings[], more?: object): Promise<Initialized>;
  callback(name: string, params: object, modules: string[], call?: number): Promise<Answer>;
  /** One entry of a callback of which modules have a list. */
  checker(entry: number, params: object, module: string): Promise<Answer>;
  followUp(callback: string, follow_up: unknown, params: object): Promise<{ edited: object | null }>;
}

export interface Initialized {
  snapshot?: Part[];
  version: string;
  catalogue: string;
  runtime: string;
  modules: DeclaredModule[];
  faults: { path: (string | number)[]; message: string }[];
  broken: { path: (string | number)[]; message: string }[];
}

export interface Answer {
  answer: unknown;
  module: string | null;
  given_reason?: { text: string; details?: string };
  asked: { module: string; ms: number }[];
}

/** Writes numbers that JSON.stringify loses, as the shim does. */
class ExactWriter extends FrameWriter {
  readonly #output: PassThrough;

  constructor(output: PassThrough) {
    super(output);
    this.#output = output;
  }

  override async write(message: object): Promise<void> {
    const body = exactJson(message);
    this.#output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
}

// With jest's `--globals '{"MODULES_IN_THREADS":true}'` each module runs in a thread of its own.
const code = "MODULES_IN_THREADS" in globalThis ? bundle("bridge/cli.ts") : undefined;
if (code) afterAll(() => code.remove());

export function connect(): Rig {
  const toHost = new PassThrough();
  const toShim = new PassThrough();
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
  const setupTimes = { timeout: 200, firstPause: 10, longestPause: 40 };
  const host = new Host(new FrameReader(toHost), new FrameWriter(toShim), {
    catalogue: catalogue(),
    log,
    version: VERSION,
    setupTimes,
    ...(code && {
      threads: {
        entry: pathToFileURL(code.file),
        records: recordsInto(lines),
        memory: 256 << 20,
        held: new HeldThreads(log, () => {}),
        setupTimes,
      },
    }),
  });
  const shim = createMessageConnection(new FrameReader(toShim), new ExactWriter(toHost));
  host.listen();
  shim.listen();
  const initialize = (modules: ModuleSettings[], more: object = {}): Promise<Initialized> =>
    shim.sendRequest("initialize", {
      ...INTRODUCTION,
      modules: code === undefined ? modules : modules.map((module) => ({ ...module, isolated: true })),
      ...more,
    });
  return {
    host,
    shim,
    lines,
    hangUp() {
      toHost.destroy();
      // Stops what is tried again and again, as the process does when its input ends.
      void host.finish(1_000);
    },
    hangUpGently: () => void toHost.end(),
    initialize,
    async load(modules) {
      const { faults } = await initialize(modules);
      if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join("\n"));
      await shim.sendNotification("start", {});
    },
    callback: (name, params, modules, call = 1) =>
      shim.sendRequest(`callback/${name}`, { call, modules, params, request: "REQ-1" }),
    checker: (entry, params, module) =>
      shim.sendRequest("callback/auth_checkers", {
        call: 1,
        modules: [module],
        params,
        request: "REQ-1",
        entry,
      }),
    followUp: (callback, follow_up, params) =>
      shim.sendRequest("follow_up", { callback, follow_up, params, request: "REQ-1" }),
  };
}

/** The log lines of threads are those of the host. */
function recordsInto(lines: Record<string, unknown>[]) {
  return new PipedRecords((bytes) => {
    const records = Buffer.from(bytes).toString().split("\n").filter(Boolean);
    for (const { log } of records.map((record) => JSON.parse(record))) if (log) lines.push(log);
    return bytes.byteLength;
  });
}

/** The error that a request was answered with. */
export async function errorOf(
  request: Promise<unknown>,
): Promise<{ code: number; message: string; data: unknown }> {
  const error = await request.then(
    (result) => new Error(`there was an answer: ${JSON.stringify(result)}`),
    (reason) => reason,
  );
  if (!(error instanceof ResponseError)) throw error;
  return { code: error.code, message: error.message, data: error.data };
}

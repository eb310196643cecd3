// Asks one module of the main thread without a host.
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import type { RunningModule } from "../../../../bridge/calls/context.js";
import { type DispatchEnvironment, dispatch } from "../../../../bridge/calls/dispatch.js";
import { FollowUps } from "../../../../bridge/calls/follow-ups.js";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Call, Reply } from "../../../../bridge/catalogue/protocol.js";
import type { Entry } from "../../../../bridge/declarations/module.js";
import { createLogger } from "../../../../bridge/logging/log.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";

interface Options {
  /** What is there of the module's setup, which is done by default. */
  setup?: object;
  cancellation?: Cancellation;
  notAwaited?: DispatchEnvironment["notAwaited"];
  /** Which entry of a callback that has a list. */
  place?: number;
  /** Gets what is logged. */
  lines?: Record<string, unknown>[];
}

const API = {
  server_name: "example.org",
  check_user_exists: async ({ user_id }: { user_id: string }) => user_id,
};

/** Asks the module `m`, of which the callback has this entry, in call 7. */
export function askModule(
  name: string,
  params: Call["params"],
  entry: Partial<Entry>,
  {
    setup = { done: true, data: null },
    cancellation = new Cancellation(new CancellationTokenSource().token),
    notAwaited,
    place,
    lines = [],
  }: Options = {},
): Promise<Reply> {
  const module = { name: "m", callbacks: new Map([[name, entry]]) };
  const running = {
    module,
    api: API,
    log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    setup,
  };
  return dispatch(
    catalogue().callbacks.get(name) as Callback,
    { call: 7, modules: ["m"], params, request: "REQ-1", ...(place !== undefined && { entry: place }) },
    cancellation,
    {
      catalogue: catalogue(),
      modules: new Map([["m", running as unknown as RunningModule]]),
      stateOf: () => ({ get: async () => [], keys: async () => [] }),
      handles: new WeakMap(),
      followUps: new FollowUps(),
      ...(notAwaited && { notAwaited }),
    },
  );
}

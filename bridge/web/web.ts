// Answers a request to a web resource: calls the module's handler with a WHATWG Request, and returns its response.

import { describeThrown } from "../base/thrown.js";
import { makeContext, type RunningModule } from "../calls/context.js";
import { withCause } from "../calls/dispatch.js";
import { makeRequest } from "../calls/request.js";
import type { WebAnswer, WebCall } from "../catalogue/protocol.js";
import { runAsModule } from "../logging/current-module.js";
import { isSynapseError } from "../sdk/errors.js";
import { CallError, fromSynapseError, moduleFault, moduleUnavailable } from "../transport/call-error.js";
import { type Cancellation, untilAborted } from "../transport/cancellation.js";
import { readResponse, UnfitResponse } from "./response.js";

export interface WebEnvironment {
  modules: ReadonlyMap<string, RunningModule>;
  /** By Request: the handle of its call, for the ModuleApi methods that take a request. */
  handles: WeakMap<object, number>;
  cancellation: Cancellation;
}

export async function answerWeb(call: WebCall, environment: WebEnvironment): Promise<WebAnswer> {
  const running = environment.modules.get(call.module);
  const handler = running?.module.web_resources.get(call.path);
  if (!running || !handler)
    throw moduleUnavailable(call.module, `the host has no module that serves ${call.path}`);
  const name = running.module.name;
  const data = await running.setup.ready(environment.cancellation);
  const request = makeRequest(call, environment.cancellation.signal);
  if (typeof request === "number") return { status: request, headers: [], body: "" };
  environment.handles.set(request, call.call);
  try {
    const context = makeContext(running, data, environment.cancellation, call.request);
    const handled = runAsModule(name, call.request, () => handler(request, context));
    return await readResponse(
      await untilAborted(handled, environment.cancellation),
      environment.cancellation,
    );
  } catch (error) {
    if (error instanceof CallError) throw error;
    if (isSynapseError(error)) {
      const failure = fromSynapseError(name, call.path, error, (message) =>
        running.log.warn({ request: call.request }, `${name}: ${message}`),
      );
      throw withCause(failure, error);
    }
    if (error instanceof UnfitResponse) throw moduleFault(name, "answer", `${call.path} ${error.message}`);
    running.log.error({ request: call.request, err: error }, `${name}: ${call.path} threw`);
    throw withCause(moduleFault(name, "threw", `${call.path} threw ${describeThrown(error)}`), error);
  } finally {
    environment.handles.delete(request);
  }
}

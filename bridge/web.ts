// Web resources: gives a handler a WHATWG Request and brings its Response, or the JSON it answered, back to the shim.
import { CallError, fromSynapseError, moduleFault, moduleUnavailable } from "./call-error.js";
import { makeContext, type RunningModule } from "./context.js";
import { untilAborted } from "./dispatch.js";
import { isSynapseError } from "./errors.js";
import { whatJsonLoses } from "./json-check.js";
import { type HttpRequest, makeRequest } from "./request.js";
import { describeThrown } from "./thrown.js";

export interface WebCall extends HttpRequest {
  call: number;
  module: string;
  path: string;
  request: string | null;
}

export interface WebAnswer {
  status: number;
  headers: [string, string][];
  body: string;
}

export interface WebSurroundings {
  modules: ReadonlyMap<string, RunningModule>;
  /** Which call a Request belongs to, for the ModuleApi methods that take one. */
  handles: WeakMap<object, number>;
  signal: AbortSignal;
}

export async function answerWeb(call: WebCall, around: WebSurroundings): Promise<WebAnswer> {
  const running = around.modules.get(call.module);
  const handler = running?.module.web_resources.get(call.path);
  if (!running || !handler)
    throw moduleUnavailable(call.module, `the host has no module that serves ${call.path}`);
  const name = running.module.name;
  const data = await running.setup.ready(around.signal);
  const request = makeRequest(call, around.signal);
  if (!request) return { status: 405, headers: [], body: "" };
  around.handles.set(request, call.call);
  try {
    const context = makeContext(running, data, around.signal, call.request);
    return await readResponse(await untilAborted(handler(request, context), around.signal), around.signal);
  } catch (error) {
    if (error instanceof CallError) throw error;
    if (isSynapseError(error)) {
      throw fromSynapseError(name, call.path, error, (message) =>
        running.log.warn({ request: call.request }, `${name}: ${message}`),
      );
    }
    if (error instanceof UnfitResponse) throw moduleFault(name, "answer", `${call.path} ${error.message}`);
    running.log.error({ request: call.request, err: error }, `${name}: ${call.path} threw`);
    throw moduleFault(name, "threw", `${call.path} threw ${describeThrown(error)}`);
  } finally {
    around.handles.delete(request);
  }
}

class UnfitResponse extends Error {}

async function readResponse(answer: unknown, signal: AbortSignal): Promise<WebAnswer> {
  if (!isResponse(answer)) return readJson(answer);
  if (answer.status < 200) throw new UnfitResponse("answered with Response.error(), which has no status");
  const body = Buffer.from((await untilAborted(answer.arrayBuffer(), signal)) as ArrayBuffer);
  return { status: answer.status, headers: [...answer.headers], body: body.toString("base64") };
}

function readJson(answer: unknown): WebAnswer {
  const problem = whatJsonLoses(answer);
  if (problem) throw new UnfitResponse(`answered neither a Response nor JSON: ${problem}`);
  const body = Buffer.from(JSON.stringify(answer)).toString("base64");
  return { status: 200, headers: [["content-type", "application/json"]], body };
}

/** By its shape: a module may bring a Response of another fetch implementation. */
function isResponse(answer: unknown): answer is Response {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "arrayBuffer" in answer &&
    "headers" in answer &&
    "status" in answer
  );
}

// Web resources: gives a handler a WHATWG Request and brings its Response, or the JSON it answered, back to the shim.

import { CallError, fromSynapseError, moduleFault, moduleUnavailable } from "./call-error.js";
import type { Cancellation } from "./cancellation.js";
import { makeContext, type RunningModule } from "./context.js";
import { untilAborted } from "./dispatch.js";
import { isSynapseError } from "./errors.js";
import { whatJsonLoses } from "./json-check.js";
import { type HttpRequest, makeRequest } from "./request.js";
import { describeThrown } from "./thrown.js";

/** Of an answer's body: as base64 it must fit into a frame. */
export const MOST_BODY_BYTES = 10 * 1024 * 1024;

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
  cancellation: Cancellation;
}

export async function answerWeb(call: WebCall, around: WebSurroundings): Promise<WebAnswer> {
  const running = around.modules.get(call.module);
  const handler = running?.module.web_resources.get(call.path);
  if (!running || !handler)
    throw moduleUnavailable(call.module, `the host has no module that serves ${call.path}`);
  const name = running.module.name;
  const data = await running.setup.ready(around.cancellation);
  const request = makeRequest(call, around.cancellation.signal);
  if (typeof request === "number") return { status: request, headers: [], body: "" };
  around.handles.set(request, call.call);
  try {
    const context = makeContext(running, data, around.cancellation, call.request);
    const handled = handler(request, context);
    return await readResponse(await untilAborted(handled, around.cancellation), around.cancellation);
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

async function readResponse(answer: unknown, cancellation: Cancellation): Promise<WebAnswer> {
  if (!isResponse(answer)) return readJson(answer);
  if (answer.status < 200) throw new UnfitResponse("answered with Response.error(), which has no status");
  const body = await readBody(answer, cancellation);
  return { status: answer.status, headers: [...answer.headers], body: body.toString("base64") };
}

/** Piece by piece: a body without end must not fill Node's memory. */
async function readBody(answer: Response, cancellation: Cancellation): Promise<Buffer> {
  if (answer.body === null) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // A Response of another fetch implementation has a stream of another kind: all can be iterated.
  const body = answer.body as unknown as AsyncIterable<Uint8Array>;
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = (await untilAborted(iterator.next(), cancellation)) as IteratorResult<Uint8Array>;
      if (next.done) return Buffer.concat(pieces);
      bytes += next.value.byteLength;
      if (bytes > MOST_BODY_BYTES)
        throw new UnfitResponse(`answered with more than ${MOST_BODY_BYTES} bytes`);
      pieces.push(next.value);
    }
  } catch (error) {
    // Not awaited: a source that hangs would hold up the answer.
    iterator.return?.().catch(() => {
      // It has failed already.
    });
    throw error;
  }
}

function readJson(answer: unknown): WebAnswer {
  const problem = whatJsonLoses(answer);
  if (problem) throw new UnfitResponse(`answered neither a Response nor JSON: ${problem}`);
  const body = Buffer.from(JSON.stringify(answer));
  if (body.length > MOST_BODY_BYTES)
    throw new UnfitResponse(`answered with ${body.length} bytes; at most ${MOST_BODY_BYTES} are sent`);
  return { status: 200, headers: [["content-type", "application/json"]], body: body.toString("base64") };
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

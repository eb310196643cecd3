// Reads a web handler's answer, which is a Response or JSON. An answer that HTTP cannot express is a fault of the module.

import { whatJsonLoses } from "../base/json-check.js";
import { LIMITS, type WebAnswer } from "../catalogue/protocol.js";
import { type Cancellation, untilAborted } from "../transport/cancellation.js";

/** The limit of a body, which must fit into a frame as base64. */
const MOST_BODY_BYTES = LIMITS.body_bytes;
const MOST_HEADER_CHARACTERS = 64 * 1024;

/** Why an answer cannot be sent. */
export class UnfitResponse extends Error {}

// RFC 9110: a name is a token; a value has visible characters, spaces and tabs.
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// Headers that describe one connection. Synapse sets its own.
const OF_CONNECTION = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
// HTTP allows no body with these statuses.
const BODILESS = new Set([204, 205, 304]);

/** What Node's Response and other implementations have in common. */
interface ResponseLike {
  status: number;
  headers: Iterable<[string, string]>;
  body: AsyncIterable<Uint8Array | string> | null;
}

/** Throws an UnfitResponse. */
export async function readResponse(answer: unknown, cancellation: Cancellation): Promise<WebAnswer> {
  if (!isResponse(answer)) return readJson(answer);
  const { status } = answer;
  // This also catches Response.error(), whose status is 0.
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new UnfitResponse(`answered with the status ${short(status)}; expected 200 to 599`);
  const headers = readHeaders(answer.headers);
  const body = await readBody(answer, cancellation);
  if (BODILESS.has(status) && body.length > 0)
    throw new UnfitResponse(`answered ${status} with a body: by HTTP, it can have none`);
  return { status, headers, body: body.toString("base64") };
}

/** Recognises a Response by its functions: it may come from another implementation, or from another realm. */
function isResponse(answer: unknown): answer is ResponseLike {
  if (typeof answer !== "object" || answer === null) return false;
  const { arrayBuffer, headers } = answer as Partial<Response>;
  return typeof arrayBuffer === "function" && typeof headers?.entries === "function";
}

function readHeaders(headers: Iterable<[string, string]>): [string, string][] {
  const all = [...headers].filter(([name]) => !OF_CONNECTION.has(String(name).toLowerCase()));
  let characters = 0;
  for (const [name, value] of all) {
    if (typeof name !== "string" || !NAME.test(name))
      throw new UnfitResponse(`answered with the header ${short(name)}, which is not a valid name`);
    if (typeof value !== "string" || !VALUE.test(value))
      throw new UnfitResponse(`answered with a header ${short(name)} whose value is not valid`);
    characters += name.length + value.length;
  }
  if (characters > MOST_HEADER_CHARACTERS)
    throw new UnfitResponse(`answered with headers of more than ${MOST_HEADER_CHARACTERS} characters`);
  return all;
}

/** Reads in pieces, so that an endless body does not fill the memory. */
async function readBody({ body }: ResponseLike, cancellation: Cancellation): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Other fetch implementations have other kinds of streams. All of them can be iterated.
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = (await untilAborted(iterator.next(), cancellation)) as IteratorResult<Uint8Array | string>;
      if (next.done) return Buffer.concat(pieces);
      const piece = typeof next.value === "string" ? Buffer.from(next.value) : next.value;
      bytes += piece.byteLength;
      if (bytes > MOST_BODY_BYTES)
        throw new UnfitResponse(`answered with more than ${MOST_BODY_BYTES} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    // Not awaited: a stream that hangs would delay the answer.
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

/** Formats any value for a message. */
function short(value: unknown): string {
  return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 80);
}

// Makes the WHATWG Request that handlers get of a client's HTTP request.
import type { WebCall } from "../catalogue/protocol.js";

/** A request to a web resource, or a parameter of a callback. */
export type HttpRequest = Pick<WebCall, "method" | "url" | "headers" | "body">;

/** Returns a status to answer with if no Request can be made: 405 for a method such as TRACE, 400 for an invalid Host. */
export function makeRequest(parts: HttpRequest, signal: AbortSignal): Request | number {
  const bodiless = parts.method === "GET" || parts.method === "HEAD";
  if (["CONNECT", "TRACE", "TRACK"].includes(parts.method.toUpperCase())) return 405;
  try {
    const headers = new Headers();
    for (const [name, value] of parts.headers) headers.append(name, value);
    const init: RequestInit = { method: parts.method, headers, signal };
    if (!bodiless) init.body = Buffer.from(parts.body, "base64");
    return new Request(parts.url, init);
  } catch {
    // The client has written something that a Request cannot have.
    return 400;
  }
}

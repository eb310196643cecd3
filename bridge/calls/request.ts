// A client's HTTP request as handlers get it: a WHATWG Request, made of the parts that travel.
import type { WebCall } from "../catalogue/protocol.js";

/** Of a web resource, or of a callback. */
export type HttpRequest = Pick<WebCall, "method" | "url" | "headers" | "body">;

/** Or the status to answer with, where there can be no Request: for a method such as TRACE, for a Host that is none. */
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
    // All of it is the client's.
    return 400;
  }
}

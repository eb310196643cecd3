// A client's HTTP request as handlers get it: a WHATWG Request, made of the parts that travel.

export interface HttpRequest {
  method: string;
  url: string;
  headers: [string, string][];
  /** Base64. */
  body: string;
}

/** Undefined for a method that a Request cannot have, such as TRACE. */
export function makeRequest(parts: HttpRequest, signal: AbortSignal): Request | undefined {
  const headers = new Headers();
  for (const [name, value] of parts.headers) headers.append(name, value);
  const bodiless = parts.method === "GET" || parts.method === "HEAD";
  if (["CONNECT", "TRACE", "TRACK"].includes(parts.method.toUpperCase())) return undefined;
  const init: RequestInit = { method: parts.method, headers, signal };
  if (!bodiless) init.body = Buffer.from(parts.body, "base64");
  return new Request(parts.url, init);
}

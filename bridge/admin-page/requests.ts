// Sends the page's requests to its own server, and says in words what has failed and what to do.

export interface Session {
  readonly token: string;
  readonly userId?: string;
  /** Whether this page got the token by a password. Else it belongs to another session of the admin's. */
  readonly isOwn: boolean;
}

export interface RequestOptions {
  readonly session?: Session;
  readonly body?: object;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The server has answered with an error, or has not answered: then `status` is 0. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errcode?: string,
  ) {
    super(message);
  }
}

/** The server works, and does not let this user in. */
export class SignInError extends Error {}

export function statusOf(error: unknown): number | undefined {
  return error instanceof RequestError ? error.status : undefined;
}

/** What has failed, and what to do. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `path` is absolute, or relative to this page. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const { session, body, query = {}, timeoutMs = 20_000, signal } = options;
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: {
        ...(session && { authorization: `Bearer ${session.token}` }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(
      0,
      timeout.aborted
        ? `The server has not answered within ${timeoutMs / 1000} s. See whether Synapse is up, and try again.`
        : "The server cannot be reached. See whether Synapse and the connection are up, and try again.",
    );
  }
  const json = parsed(text);
  if (response.ok && json !== undefined) return json as T;
  throw failure(response, json);
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function failure({ status, headers }: Response, json: Record<string, unknown> | undefined): RequestError {
  const said = typeof json?.error === "string" ? json.error : "";
  const errcode = typeof json?.errcode === "string" ? json.errcode : undefined;
  return new RequestError(status, advice(status, said, errcode, waitOf(headers, json)), errcode);
}

function waitOf(headers: Headers, json: Record<string, unknown> | undefined): number {
  const seconds = Number(headers.get("retry-after"));
  if (seconds > 0) return seconds;
  const ms = json?.retry_after_ms;
  return typeof ms === "number" && ms > 0 ? Math.ceil(ms / 1000) : 60;
}

function advice(status: number, said: string, errcode: string | undefined, waitSeconds: number): string {
  const quoted = said === "" ? "" : ` The server says: ${said}`;
  if (status === 429) return `That were too many requests. Try again in ${waitSeconds} s.`;
  if (status === 401) return `The server does not take the token any more. Sign in again.${quoted}`;
  if (status === 404 && errcode === "M_UNRECOGNIZED")
    return "The server says that this path does not exist: this account is no server admin any more, or the request went to a process without the bridge.";
  if (status >= 500)
    return `The server has failed with status ${status}. Its log says why. Try again.${quoted}`;
  return said === "" ? `The server answered with status ${status}.` : said;
}

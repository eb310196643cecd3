// Sends requests to a server, and turns its refusals into errors.

import type { LogRecord, Records } from "./records.js";
import { waitFor } from "./wait.js";

export interface RequestOptions {
  /** The access token; `""` for none. Default: that of the user whose request it is. */
  readonly token?: string;
  /** Of a body that is a text or bytes. Default: application/octet-stream. */
  readonly content_type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How to read the answer. Default: as its content type says. */
  readonly as?: "json" | "text" | "bytes";
}

/** The server has refused a request. */
export class MatrixError extends Error {
  constructor(
    /** The status of HTTP, such as 403. */
    readonly status: number,
    /** Such as `M_FORBIDDEN`; empty where the answer has none. */
    readonly errcode: string,
    /** The server's text. */
    readonly error: string,
    /** All of the answer: also the fields that a module has added. */
    // biome-ignore lint/suspicious/noExplicitAny: JSON of every shape, which a test knows
    readonly body: any,
    request: string,
  ) {
    super(`${request} was answered with ${status}${errcode && ` ${errcode}`}${error && `: ${error}`}`);
    this.name = "MatrixError";
  }
}

const LOG_MS = 300;

export const segment = encodeURIComponent;

export class Connection {
  constructor(
    readonly baseUrl: string,
    /** Tells why there is no answer, if that is known soon. */
    private readonly whyNot: () => Promise<string | undefined>,
    /** What is logged: also what a module threw, with its stack. */
    private readonly records: Records,
  ) {}

  async request(method: string, path: string, body: unknown, options: RequestOptions): Promise<unknown> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const before = this.records.count();
    const response = await this.fetch(path, {
      method,
      headers: {
        ...(options.token && { authorization: `Bearer ${options.token}` }),
        ...(body !== undefined && {
          "content-type": raw ? (options.content_type ?? "application/octet-stream") : "application/json",
        }),
        ...options.headers,
      },
      ...(body !== undefined && {
        body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
      }),
    });
    if (!response.ok) {
      const error = await refusal(response, `${method} ${path.replace(/\?.*/, "")}`);
      // A failure of the server says nothing to its clients.
      const meanwhile = response.status < 500 ? [] : await this.errorsSince(before);
      if (meanwhile.length > 0) error.message += `\n--- logged meanwhile\n${meanwhile.join("\n")}`;
      throw error;
    }
    const type = response.headers.get("content-type") ?? "";
    const as = options.as ?? (/json/.test(type) ? "json" : /^text\//.test(type) ? "text" : "bytes");
    if (as === "json") return response.json();
    return as === "text" ? response.text() : new Uint8Array(await response.arrayBuffer());
  }

  /** What Node logs may come a little later than the answer. */
  private async errorsSince(before: number): Promise<readonly string[]> {
    const errors = () => this.records.after(before).filter(isError);
    await waitFor("an error in the log", () => errors().length > 0, LOG_MS).catch(() => undefined);
    return errors().map(({ log }) => log);
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.baseUrl + path, init);
    } catch (error) {
      const why = await this.whyNot();
      throw why === undefined ? error : new Error(why, { cause: error });
    }
  }
}

const isError = ({ level }: LogRecord) => level === "ERROR" || level === "CRITICAL";

async function refusal(response: Response, request: string): Promise<MatrixError> {
  const text = await response.text();
  const body = parsed(text);
  const { errcode, error } = typeof body === "object" && body !== null ? (body as Partial<MatrixError>) : {};
  const said = typeof error === "string" ? error : "";
  return new MatrixError(response.status, typeof errcode === "string" ? errcode : "", said, body, request);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

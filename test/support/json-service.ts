// An HTTP service on loopback that a module asks: a test says what it answers, and it remembers what it was asked.
import { createServer } from "node:http";
import type { Body } from "./client.js";
import { listenOnLoopback } from "./loopback.js";

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed if it is JSON. */
  readonly body: Body;
}

/** `hangUp` closes the connection instead. Text is sent as it is, and all else as JSON. */
export type Reply = { readonly status?: number; readonly body?: unknown } | "hangUp";

export interface JsonService {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export async function startJsonService(
  answer: (asked: Asked) => Reply | Promise<Reply>,
): Promise<JsonService> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { method = "", url: path = "", headers } = request;
    const question = { method, path, headers, body: parsed(text) };
    asked.push(question);
    const reply = await answer(question);
    if (reply === "hangUp") return void request.socket.destroy();
    const { status = 200, body = {} } = reply;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close,
  };
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

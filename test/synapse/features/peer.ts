// An HTTP server on loopback that modules ask: it says what it was asked, and can misbehave.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listenOnLoopback } from "../../support/loopback.js";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Peer {
  readonly baseUrl: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export const SECRET_BODY = "a body with a s3cret";

export async function startPeer(): Promise<Peer> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: Buffer.concat(pieces).toString() };
      asked.push(one);
      answer(one, response);
    });
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    asked,
    close,
  };
}

function answer({ method, url, headers, body }: Asked, response: ServerResponse): void {
  const [path = ""] = url.split("?");
  if (path === "/missing") response.writeHead(404, "Not Here").end(SECRET_BODY);
  else if (path === "/text") response.setHeader("X-Two", ["1", "2"]).end("plain \u2615");
  else if (path === "/big") response.end(Buffer.alloc(11 * 1024 * 1024));
  else if (path === "/_matrix/push/v1/notify") response.end('{"rejected":[]}');
  else {
    const { authorization, "content-type": type, "user-agent": agent } = headers;
    response.end(JSON.stringify({ method, url, authorization, type, agent, body }));
  }
}

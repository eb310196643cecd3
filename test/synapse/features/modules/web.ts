// A module whose web resources answer in every way that there is.
import { defineModule, SynapseError } from "synapse-module-bridge";

export default defineModule({
  web_resources: {
    "/_synapse/client/web/echo": async (request) => ({
      method: request.method,
      path: new URL(request.url).pathname,
      query: [...new URL(request.url).searchParams],
      type: request.headers.get("content-type"),
      custom: request.headers.get("x-custom"),
      body: Buffer.from(await request.arrayBuffer()).toString("base64"),
    }),
    "/_synapse/client/web/response": () =>
      new Response("made ☕", {
        status: 418,
        headers: { "content-type": "text/plain; charset=utf-8", "x-tea": "no" },
      }),
    "/_synapse/client/web/bytes": () => new Response(new Uint8Array([0, 255, 10, 13])),
    "/_synapse/client/web/size": async (request) => (await request.arrayBuffer()).byteLength,
    "/_synapse/client/web/big": () => new Response(new Uint8Array(10 * 1024 * 1024)),
    "/_synapse/client/web/endless": () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) }),
      ),
    "/_synapse/client/web/wait": (_request, { log, signal }) =>
      new Promise((resolve) => {
        log.warn("the request waits");
        signal.addEventListener("abort", () => {
          log.warn("the client has left, and the handler knows");
          resolve("nobody reads this");
        });
      }),
    "/_synapse/client/web/twice": async (request, { api }) => {
      const one = await api.get_user_by_req({ req: request });
      const two = await api.get_user_by_req({ req: request });
      return [one.user_id, two.user_id];
    },
    "/_synapse/client/web/empty": () => new Response(null, { status: 204 }),
    // What a client has stored, as it is.
    "/_synapse/client/web/stored": async (request) => JSON.parse(await request.text()),
    // A Response of another implementation, which checks nothing.
    "/_synapse/client/web/like": async (request) => {
      const { status, headers } = JSON.parse(await request.text());
      const like = { arrayBuffer() {}, status, headers: new Map<string, string>(headers), body: null };
      return like as unknown as Response;
    },
    "/_synapse/client/web/text": () => "just text",
    "/_synapse/client/web/refuse": () => {
      throw new SynapseError(403, "not for you", "ORG.EXAMPLE.NO", { why: ["because"] });
    },
    "/_synapse/client/web/unsafe": () => {
      // Fields of these names keep a Python module's request from ever being answered.
      throw new SynapseError(400, "odd fields", "M_UNKNOWN", { msg: "m", code: 7, kept: true });
    },
    "/_synapse/client/web/throw": () => {
      throw new Error("secret detail");
    },
    "/_synapse/client/web/hang": (_request, { log, signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          log.warn("the hanging request was aborted");
          reject(signal.reason);
        });
      }),
    "/_synapse/client/web/who": async (request, { api }) => {
      const requester = await api.get_user_by_req({ req: request });
      return { user_id: requester.user_id, device_id: requester.device_id, is_guest: requester.is_guest };
    },
  },
});

// An identity server on loopback for invites by email: it knows no one, stores every invite, and takes the domain of an
// address for the homeserver that it belongs to, but for those of unknown.example, which it has never heard of.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { Certificates } from "./certificates.js";
import { listenOnLoopback } from "./loopback.js";

export interface IdentityServer {
  /** `localhost:PORT`. */
  readonly name: string;
  close(): Promise<void>;
}

export async function startIdentityServer(certificates: Certificates): Promise<IdentityServer> {
  const key = readFileSync(certificates.keyPath);
  const cert = readFileSync(certificates.certificatePath);
  const server = createServer({ key, cert }, (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const { pathname: path, searchParams } = new URL(request.url ?? "/", "https://localhost");
      const answer = answers[path]?.(body ? JSON.parse(body) : Object.fromEntries(searchParams));
      response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { errcode: "M_UNRECOGNIZED", error: path }));
    });
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    name: `localhost:${port}`,
    close,
  };
}

const publicKey = "A".repeat(43);
const answers: Record<string, (body: { address?: string }) => object | undefined> = {
  "/_matrix/identity/v2/hash_details": () => ({ algorithms: ["sha256"], lookup_pepper: "pepper" }),
  "/_matrix/identity/api/v1/info": ({ address }) =>
    address?.endsWith("@unknown.example") ? undefined : { hs: address?.split("@")[1] },
  "/_matrix/identity/v2/lookup": () => ({ mappings: {} }),
  "/_matrix/identity/v2/store-invite": ({ address }) => ({
    token: `token for ${address}`,
    display_name: `${address?.slice(0, 3)}...`,
    public_keys: [{ public_key: publicKey, key_validity_url: "https://localhost/valid" }],
  }),
};

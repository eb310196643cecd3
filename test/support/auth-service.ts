// A service on loopback that Synapse asks about access tokens, as it asks the Matrix Authentication Service.
import { createServer } from "node:http";
import { Client } from "./client.js";
import { listenOnLoopback } from "./loopback.js";

export interface AuthService {
  /** Of homeserver.yaml. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What Synapse and the service know. */
  readonly secret: string;
  /** Gives a user of the homeserver, which it makes, a token with these scopes. */
  user(baseUrl: string, name: string, ...scopes: readonly string[]): Promise<Client>;
  /** From now on, the token is not valid any more. It must not have been asked about before: Synapse remembers answers. */
  revoke(client: Client): void;
  close(): Promise<void>;
}

const secret = "shared";
const clientApi = "urn:matrix:client:api:*";

export async function startAuthService(): Promise<AuthService> {
  const tokens = new Map<string, object>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const issuer = `http://127.0.0.1:${port}/`;
      const answer =
        request.url === "/oauth2/introspect"
          ? (tokens.get(new URLSearchParams(body).get("token") ?? "") ?? { active: false })
          : { issuer, account_management_uri: `${issuer}account` };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  const { port, close } = await listenOnLoopback(server);
  const endpoint = `http://127.0.0.1:${port}/`;
  return {
    secret,
    config: {
      matrix_authentication_service: { enabled: true, endpoint, secret },
      enable_registration: false,
      password_config: { enabled: false },
      registration_shared_secret: null,
    },
    async user(baseUrl, name, ...scopes) {
      const path = "/_synapse/mas/provision_user";
      const { status, text } = await new Client(baseUrl, "", secret).post(path, { localpart: name });
      if (status >= 300) throw new Error(`could not make ${name}: ${status} ${text}`);
      const token = `mat_${name}_${tokens.size}`;
      tokens.set(token, { active: true, scope: [clientApi, ...scopes].join(" "), username: name });
      return new Client(baseUrl, `@${name}:test.localhost`, token);
    },
    revoke: ({ accessToken }) => tokens.delete(accessToken),
    close,
  };
}

// A small Matrix client for tests: every call gives the status and the body, and no 4xx or 5xx throws.
import { createHmac, randomUUID } from "node:crypto";
import type { Homeserver } from "./homeserver.js";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into bodies of every shape
export type Body = any;

export interface Answer {
  readonly status: number;
  readonly body: Body;
  /** The body as it came. */
  readonly text: string;
}

export interface RequestOptions {
  readonly json?: unknown;
  /** Sent as it is, with this content type; for what JSON.stringify would change. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const segment = encodeURIComponent;
const v3 = "/_matrix/client/v3";

export class Client {
  constructor(
    readonly baseUrl: string,
    readonly userId: string = "",
    readonly accessToken: string = "",
    readonly deviceId: string = "",
  ) {}

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const url = new URL(this.baseUrl + path);
    for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.set(key, value);
    const body = options.raw ?? (options.json === undefined ? undefined : JSON.stringify(options.json));
    const response = await fetch(url, {
      method,
      headers: {
        ...(this.accessToken && { authorization: `Bearer ${this.accessToken}` }),
        ...(body !== undefined && { "content-type": options.contentType ?? "application/json" }),
        ...options.headers,
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text), text };
  }

  get(path: string, query?: Readonly<Record<string, string>>): Promise<Answer> {
    return this.request("GET", path, query ? { query } : {});
  }
  put(path: string, json: unknown): Promise<Answer> {
    return this.request("PUT", path, { json });
  }
  post(path: string, json: unknown = {}): Promise<Answer> {
    return this.request("POST", path, { json });
  }

  createRoom(options: Record<string, unknown> = {}): Promise<Answer> {
    return this.post(`${v3}/createRoom`, options);
  }
  send(
    roomId: string,
    content: unknown,
    type = "m.room.message",
    txnId: string = randomUUID(),
  ): Promise<Answer> {
    return this.put(`${v3}/rooms/${segment(roomId)}/send/${segment(type)}/${txnId}`, content);
  }
  say(roomId: string, body: string): Promise<Answer> {
    return this.send(roomId, { msgtype: "m.text", body });
  }
  redact(roomId: string, eventId: string, content: unknown = {}): Promise<Answer> {
    return this.put(`${v3}/rooms/${segment(roomId)}/redact/${segment(eventId)}/${randomUUID()}`, content);
  }
  setState(roomId: string, type: string, stateKey: string, content: unknown): Promise<Answer> {
    return this.put(`${v3}/rooms/${segment(roomId)}/state/${segment(type)}/${segment(stateKey)}`, content);
  }
  getState(roomId: string, type: string, stateKey = ""): Promise<Answer> {
    return this.get(`${v3}/rooms/${segment(roomId)}/state/${segment(type)}/${segment(stateKey)}`);
  }
  roomState(roomId: string): Promise<Answer> {
    return this.get(`${v3}/rooms/${segment(roomId)}/state`);
  }
  event(roomId: string, eventId: string): Promise<Answer> {
    return this.get(`${v3}/rooms/${segment(roomId)}/event/${segment(eventId)}`);
  }
  messages(roomId: string, limit = 50): Promise<Answer> {
    return this.get(`${v3}/rooms/${segment(roomId)}/messages`, { dir: "b", limit: String(limit) });
  }
  members(roomId: string): Promise<Answer> {
    return this.get(`${v3}/rooms/${segment(roomId)}/members`);
  }
  invite(roomId: string, userId: string): Promise<Answer> {
    return this.post(`${v3}/rooms/${segment(roomId)}/invite`, { user_id: userId });
  }
  inviteThreepid(roomId: string, threepid: Record<string, string>): Promise<Answer> {
    return this.post(`${v3}/rooms/${segment(roomId)}/invite`, threepid);
  }
  /** `via` names the servers to join through, for a room of another server. */
  join(roomIdOrAlias: string, via: readonly string[] = []): Promise<Answer> {
    const query = via.map((server) => `via=${segment(server)}&server_name=${segment(server)}`).join("&");
    return this.post(`${v3}/join/${segment(roomIdOrAlias)}?${query}`);
  }
  leave(roomId: string): Promise<Answer> {
    return this.post(`${v3}/rooms/${segment(roomId)}/leave`);
  }
  sync(query: Readonly<Record<string, string>> = { timeout: "0" }): Promise<Answer> {
    return this.get(`${v3}/sync`, query);
  }

  upload(
    bytes: Uint8Array<ArrayBuffer> | string,
    contentType = "text/plain",
    filename = "file.txt",
  ): Promise<Answer> {
    const query = { filename };
    return this.request("POST", "/_matrix/media/v3/upload", { raw: bytes, contentType, query });
  }
  /** `uri` is an mxc:// address. */
  async download(uri: string): Promise<Answer> {
    const file = uri.replace("mxc://", "");
    const answer = await this.get(`/_matrix/client/v1/media/download/${file}`);
    // A Synapse before 1.111 has only the older endpoint.
    if (answer.body.errcode !== "M_UNRECOGNIZED") return answer;
    return this.get(`/_matrix/media/v3/download/${file}`);
  }

  createAlias(alias: string, roomId: string): Promise<Answer> {
    return this.put(`${v3}/directory/room/${segment(alias)}`, { room_id: roomId });
  }
  lookUpAlias(alias: string): Promise<Answer> {
    return this.get(`${v3}/directory/room/${segment(alias)}`);
  }
  setVisibility(roomId: string, visibility: string): Promise<Answer> {
    return this.put(`${v3}/directory/list/room/${segment(roomId)}`, { visibility });
  }
  visibility(roomId: string): Promise<Answer> {
    return this.get(`${v3}/directory/list/room/${segment(roomId)}`);
  }
  searchUsers(term: string): Promise<Answer> {
    return this.post(`${v3}/user_directory/search`, { search_term: term, limit: 10 });
  }
  setProfile(field: "displayname" | "avatar_url", value: string): Promise<Answer> {
    return this.put(`${v3}/profile/${segment(this.userId)}/${field}`, { [field]: value });
  }
  profile(userId: string = this.userId): Promise<Answer> {
    return this.get(`${v3}/profile/${segment(userId)}`);
  }
  whoami(): Promise<Answer> {
    return this.get(`${v3}/account/whoami`);
  }

  login(user: string, password: string, more: Record<string, unknown> = {}): Promise<Answer> {
    const identifier = { type: "m.id.user", user };
    return this.post(`${v3}/login`, { type: "m.login.password", identifier, password, ...more });
  }
  /** The ordinary registration of a client. */
  register(username: string, password: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post(`${v3}/register`, { auth: { type: "m.login.dummy" }, username, password, ...more });
  }
  deactivate(password: string, more: Record<string, unknown> = {}): Promise<Answer> {
    const identifier = { type: "m.id.user", user: this.userId };
    const auth = { type: "m.login.password", identifier, password };
    return this.post(`${v3}/account/deactivate`, { auth, ...more });
  }

  /** An admin call: `admin("GET", "v2/users/@a:b")`. */
  admin(method: string, path: string, json?: unknown): Promise<Answer> {
    return this.request(method, `/_synapse/admin/${path}`, json === undefined ? {} : { json });
  }
}

/** The body of an answer of Synapse's. Throws where it is an error. */
export function succeeded(what: string, { status, body }: Answer): Answer["body"] {
  if (status !== 200) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** The password of every user that `registerUser` makes. */
export const password = "correct horse battery staple";

/** Registers a user by the shared secret; throws if that fails, since a test cannot go on without its users. */
export async function registerUser(
  server: Pick<Homeserver, "baseUrl" | "sharedSecret">,
  username: string,
  options: { admin?: boolean; displayname?: string } = {},
): Promise<Client> {
  const anonymous = new Client(server.baseUrl);
  const body = succeeded(`could not register ${username}`, await registerBySecret(server, username, options));
  return new Client(anonymous.baseUrl, body.user_id, body.access_token, body.device_id);
}

export async function registerBySecret(
  server: Pick<Homeserver, "baseUrl" | "sharedSecret">,
  username: string,
  { admin = false, displayname }: { admin?: boolean; displayname?: string } = {},
): Promise<Answer> {
  const anonymous = new Client(server.baseUrl);
  const { body } = await anonymous.admin("GET", "v1/register");
  const mac = createHmac("sha1", server.sharedSecret)
    .update([body.nonce, username, password, admin ? "admin" : "notadmin"].join("\0"))
    .digest("hex");
  const fields = {
    nonce: body.nonce,
    username,
    password,
    admin,
    mac,
    ...(displayname !== undefined && { displayname }),
  };
  return anonymous.admin("POST", "v1/register", fields);
}

/** The access token of a client that has just logged in or registered, as a client. */
export function signedIn(server: Pick<Homeserver, "baseUrl">, body: Body): Client {
  return new Client(server.baseUrl, body.user_id, body.access_token, body.device_id);
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

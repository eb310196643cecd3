// A small Matrix client: a user of a server under test.
import { randomUUID } from "node:crypto";
import { type Connection, MatrixError, type RequestOptions, segment } from "./connection.js";

const v3 = "/_matrix/client/v3";
const room = (room_id: string) => `${v3}/rooms/${segment(room_id)}`;

// biome-ignore lint/suspicious/noExplicitAny: JSON of every shape, which a test knows
export type Json = any;

/** An event as the client-server API gives it. */
export interface ClientEvent {
  readonly type: string;
  readonly event_id: string;
  readonly room_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly state_key?: string;
  readonly content: Json;
  readonly unsigned?: Json;
}

/** Its methods reject with a `MatrixError` when the server refuses. */
export class User {
  constructor(
    private readonly connection: Connection,
    /** Such as `@alice:test.localhost`. */
    readonly user_id: string,
    readonly access_token: string,
    readonly device_id: string,
    /** The one that `user()` has given it. */
    readonly password: string,
  ) {}

  /**
   * Any request: `path` begins with `/_matrix/` or `/_synapse/`. An object as `body` is sent as JSON. Resolves with the
   * JSON of the answer; with text or bytes where it has none.
   */
  request(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Json> {
    return this.connection.request(method, path, body, { token: this.access_token, ...options });
  }

  /** Resolves with the room's id. `options` is the request's body, such as `{ preset: "public_chat" }`. */
  async createRoom(options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return (await this.request("POST", `${v3}/createRoom`, options)).room_id;
  }

  /** Sends a text, or the content of an event of another type. Resolves with the event's id. */
  async send(room_id: string, content: string | object, type = "m.room.message"): Promise<string> {
    const sent = typeof content === "string" ? { msgtype: "m.text", body: content } : content;
    const path = `${room(room_id)}/send/${segment(type)}/${randomUUID()}`;
    return (await this.request("PUT", path, sent)).event_id;
  }

  /** Resolves with the event's id. */
  async redact(room_id: string, event_id: string, reason?: string): Promise<string> {
    const path = `${room(room_id)}/redact/${segment(event_id)}/${randomUUID()}`;
    return (await this.request("PUT", path, { reason })).event_id;
  }

  async invite(room_id: string, user_id: string): Promise<void> {
    await this.request("POST", `${room(room_id)}/invite`, { user_id });
  }

  /** Resolves with the room's id. `via` names the servers to join through, for a room of another server. */
  async join(room_id_or_alias: string, via: readonly string[] = []): Promise<string> {
    const query = via.map((server) => `via=${segment(server)}&server_name=${segment(server)}`).join("&");
    return (await this.request("POST", `${v3}/join/${segment(room_id_or_alias)}?${query}`, {})).room_id;
  }

  async leave(room_id: string): Promise<void> {
    await this.request("POST", `${room(room_id)}/leave`, {});
  }

  async kick(room_id: string, user_id: string, reason?: string): Promise<void> {
    await this.request("POST", `${room(room_id)}/kick`, { user_id, reason });
  }

  async ban(room_id: string, user_id: string, reason?: string): Promise<void> {
    await this.request("POST", `${room(room_id)}/ban`, { user_id, reason });
  }

  /** The last events of the room's timeline, the newest first. */
  async messages(room_id: string, limit = 50): Promise<ClientEvent[]> {
    return (await this.request("GET", `${room(room_id)}/messages?dir=b&limit=${limit}`)).chunk;
  }

  async event(room_id: string, event_id: string): Promise<ClientEvent> {
    return this.request("GET", `${room(room_id)}/event/${segment(event_id)}`);
  }

  /** All of the room's state; with a type, the content of that event. */
  async state(room_id: string): Promise<ClientEvent[]>;
  async state(room_id: string, type: string, state_key?: string): Promise<Json>;
  async state(room_id: string, type?: string, state_key = ""): Promise<Json> {
    const which = type === undefined ? "" : `/${segment(type)}/${segment(state_key)}`;
    return this.request("GET", `${room(room_id)}/state${which}`);
  }

  /** Resolves with the event's id. */
  async setState(room_id: string, type: string, content: object, state_key = ""): Promise<string> {
    const path = `${room(room_id)}/state/${segment(type)}/${segment(state_key)}`;
    return (await this.request("PUT", path, content)).event_id;
  }

  /** Uploads media. Resolves with its `mxc://` address. */
  async upload(bytes: Uint8Array | string, content_type = "text/plain", filename = "file"): Promise<string> {
    const path = `/_matrix/media/v3/upload?filename=${segment(filename)}`;
    return (await this.request("POST", path, bytes, { content_type })).content_uri;
  }

  /** The bytes of uploaded media. */
  async download(mxc: string): Promise<Uint8Array> {
    const media = mxc.replace("mxc://", "");
    const get = (path: string) => this.request("GET", `${path}/${media}`, undefined, { as: "bytes" });
    try {
      return await get("/_matrix/client/v1/media/download");
    } catch (error) {
      // Synapse has it since 1.111.
      if (!(error instanceof MatrixError) || error.errcode !== "M_UNRECOGNIZED") throw error;
      return get("/_matrix/media/v3/download");
    }
  }

  async setDisplayName(displayname: string): Promise<void> {
    await this.request("PUT", `${v3}/profile/${segment(this.user_id)}/displayname`, { displayname });
  }
}

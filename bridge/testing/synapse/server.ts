// A running Synapse, as tests use it: its users, its decisions, its log.
import { createHmac } from "node:crypto";
import { real } from "../../base/real-time.js";
import { Connection, MatrixError, type RequestOptions } from "./connection.js";
import { type Decision, type DecisionFilter, decisions } from "./decisions.js";
import type { LogRecord, Records } from "./records.js";
import { reload } from "./reload.js";
import { lastLines, type SynapseProcess } from "./synapse-process.js";
import { type Json, User } from "./user.js";

export interface UserOptions {
  readonly admin?: boolean;
  readonly password?: string;
  readonly displayname?: string;
}

/** What a server is started from. */
export interface Running {
  readonly process: SynapseProcess;
  readonly serverName: string;
  readonly sharedSecret: string;
  readonly version: string;
  readonly dir: string;
  readonly records: Records;
  /** Whether it has a bridge. */
  readonly hasBridge: boolean;
}

// How long the news of the end of a process may take.
const NEWS_MS = 1_000;

export class Server {
  /** The name in the ids of its users, such as `test.localhost`. */
  readonly server_name: string;
  /** Where clients find it, such as `http://127.0.0.1:32775`. */
  readonly baseUrl: string;
  /** Of Synapse. */
  readonly version: string;
  /** Of Synapse's process. */
  readonly pid: number;
  /** The temporary folder with its configuration, database and log. */
  readonly folder: string;
  readonly #running: Running;
  readonly #connection: Connection;
  readonly #users = new Map<string, Promise<User>>();
  #reloads: Promise<unknown> = Promise.resolve();
  #end: string | undefined;
  #isClosing = false;

  constructor(running: Running) {
    this.#running = running;
    this.server_name = running.serverName;
    this.baseUrl = running.process.baseUrl;
    this.version = running.version;
    this.pid = running.process.pid;
    this.folder = running.dir;
    const ended = running.process.exited.then((code) => {
      const cause = code === null ? "by a signal" : `with exit code ${code}`;
      this.#end = this.#isClosing
        ? "this Synapse was closed"
        : `Synapse has ended ${cause}. Its last lines:\n${this.#lastLines()}`;
    });
    // A connection may break before the end of the process is known.
    const whyNot = async () => {
      await real.atMost(NEWS_MS, ended);
      return this.#end;
    };
    this.#connection = new Connection(this.baseUrl, whyNot, running.records);
  }

  /**
   * A user by the local part of its id: registered at the first call, the same one later. Who was registered otherwise is
   * logged in, with the given password.
   */
  user(name: string, options: UserOptions = {}): Promise<User> {
    const known = this.#users.get(name);
    if (known) return known;
    const user = this.#makeUser(name, { password: `password of ${name}`, ...options });
    this.#users.set(name, user);
    user.catch(() => this.#users.delete(name));
    return user;
  }

  /** Logs in: `{ type: "m.login.password", identifier, password }`, or by a login type of a module. */
  async login(body: Readonly<Record<string, unknown>>): Promise<User> {
    const answer = await this.request("POST", "/_matrix/client/v3/login", body);
    const { password } = body;
    return this.#userOf(answer, typeof password === "string" ? password : "");
  }

  /** A request of nobody: as `User.request`, without an access token. */
  request(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Json> {
    return this.#connection.request(method, path, body, options);
  }

  /** What the bridge has decided so far, oldest first. */
  decisions(filter: DecisionFilter = {}): Promise<Decision[]> {
    return decisions(this.#running.records, filter);
  }

  /** What Synapse has logged so far: modules' lines, too. */
  logs(): string {
    return this.#running.process.log();
  }

  /** What the bridge has logged so far, as records: decisions and modules' lines, too. */
  records(): readonly LogRecord[] {
    return this.#running.records.all();
  }

  /**
   * Loads the modules again. Resolves once the new version has taken over; with `false` where no file has changed. Rejects
   * with the reason where it was refused: then the old version stays.
   */
  reload(): Promise<boolean> {
    const { hasBridge, records } = this.#running;
    if (!hasBridge)
      return Promise.reject(new Error("this Synapse has no modules of the bridge to load again"));
    const done = this.#reloads.then(() => reload(this.pid, records, () => this.#end));
    this.#reloads = done.catch(() => undefined);
    return done;
  }

  /** Ends the server and removes its folder. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #makeUser(name: string, options: UserOptions & { readonly password: string }): Promise<User> {
    try {
      return await this.#register(name, options);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.errcode !== "M_USER_IN_USE") throw error;
      const identifier = { type: "m.id.user", user: name };
      return this.login({ type: "m.login.password", identifier, password: options.password });
    }
  }

  /** By the shared secret: an ordinary registration may need an email address or a captcha. */
  async #register(name: string, options: UserOptions & { readonly password: string }): Promise<User> {
    const path = "/_synapse/admin/v1/register";
    const { nonce } = await this.request("GET", path);
    const { password, admin = false, displayname } = options;
    const mac = createHmac("sha1", this.#running.sharedSecret)
      .update([nonce, name, password, admin ? "admin" : "notadmin"].join("\0"))
      .digest("hex");
    const body = { nonce, username: name, password, admin, mac, ...(displayname && { displayname }) };
    return this.#userOf(await this.request("POST", path, body), password);
  }

  #userOf({ user_id, access_token, device_id }: Json, password: string): User {
    return new User(this.#connection, user_id, access_token, device_id, password);
  }

  #lastLines(): string {
    const { log, stderr } = this.#running.process;
    return `${lastLines(log())}\n${lastLines(stderr())}`.trimEnd();
  }
}

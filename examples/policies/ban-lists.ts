// Applies ban lists: policy rooms, as Draupnir and Mjolnir keep them, with rules about users, servers and rooms.
//
// - A banned user, or a user of a banned server, invites nobody here, joins nothing, and writes no messages that users here see.
//   A local user is banned by a rule about users only. Nobody here invites a banned user.
// - Nobody here joins a banned room, or invites to it.
// - Banned users are not found in the user directory.
//
// For whom: servers that follow the lists of communities they trust, in all of their rooms; Draupnir protects the rooms that it
// moderates. A change of a list is in force in all processes of Synapse within seconds.
//
// Not banned, whatever the rules say: this server, its admins, the reader, and who is under `protected`. Rules of wildcards alone,
// such as `*`, are ignored.
// Limits: nobody is removed from a room, and state events are not judged: that is left to the rooms' moderators. Everybody may
// leave. Messages of local users are judged only with `local_messages`, since that costs a call for each. Rules whose entity is
// hashed (MSC4205), rules about room aliases, and recommendations other than a ban are not applied. A ban hides messages, and
// does not keep a banned server from sending.
import { setTimeout as pause } from "node:timers/promises";
import {
  type ApiOf,
  Codes,
  defineModule,
  type Event,
  type JsonInputObject,
  NOT_SPAM,
  type RoomId,
  type SetupContext,
  type StateKey,
} from "synapse-module-bridge";

/** The event types of rules, by what they are about: the standard one, and those that it had before. */
const types = {
  user: ["m.policy.rule.user", "m.room.rule.user", "org.matrix.mjolnir.rule.user"],
  server: ["m.policy.rule.server", "m.room.rule.server", "org.matrix.mjolnir.rule.server"],
  room: ["m.policy.rule.room", "m.room.rule.room", "org.matrix.mjolnir.rule.room"],
} as const;
type Kind = keyof typeof types;
const kinds: readonly Kind[] = ["user", "server", "room"];
const allTypes = kinds.flatMap((kind) => types[kind]);
const bans: readonly unknown[] = ["m.ban", "org.matrix.mjolnir.ban"];

/** Longer ones are no ids: an id has at most 255 characters. */
const MAX_ENTITY = 512;
/** Of one list: more than the largest public lists have. */
const MAX_RULES = 20_000;
/** Of one list: each of them is tried for each new user. */
const MAX_GLOBS = 2_000;
/** Of so many users it is remembered whether they are banned. */
const MAX_VERDICTS = 10_000;
/** A list that changes all the time is told about at most so often. */
const TELL_MS = 1_000;
/** If it could not be told: the database may be back by then. */
const TELL_AGAIN_MS = 3_000;
/** A process may hear of a change before its own Synapse has it, so it looks again. */
const AGAIN_MS = [1_000, 5_000];
const RETRY_MS = 30_000;
/** For a change of which nobody was told, because Node was down. */
const REFRESH_MS = 10 * 60_000;

const grants = ["broadcast", "update_room_membership"] as const;

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      lists: {
        description: "The ids of the policy rooms.",
        type: "array",
        items: { type: "string", pattern: "^!" },
        minItems: 1,
      },
      reader: {
        description:
          "A user of this server who joins the policy rooms and reads them, such as '@reader:example.org'. It must exist. Without one, somebody of this server must be in each policy room.",
        type: "string",
        pattern: "^@.+:.+",
      },
      via: {
        description: "Servers to join the policy rooms through.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      protected: {
        description: "Globs of user ids that are never banned, such as '@moderator-*:example.org'.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      local_messages: {
        description: "Whether messages of local users are judged, too.",
        type: "boolean",
        default: false,
      },
    },
    required: ["lists"],
    additionalProperties: false,
  },
  grants,
  async setup(context) {
    const lists = new BanLists(context);
    await lists.readAll();
    return lists;
  },
  close: ({ data }) => data.close(),
  broadcasts: {
    changed: (room_id: RoomId, { data }) => data.changed(room_id),
  },
  callbacks: {
    on_new_event: {
      // A redaction may have taken a rule away.
      match: ({ lists }) => ({ room_id: lists, type: [...allTypes, "m.room.redaction"] }),
      handler: ({ event }, { data }) => data.tell(event.room_id),
    },
    user_may_invite: {
      match: (config) => ({ not: { inviter: free(config) } }),
      async handler({ inviter, invitee, room_id }, { data, reason }) {
        const rule = (await data.banOf(inviter)) ?? (await data.banOf(invitee)) ?? data.banOfRoom(room_id);
        if (!rule) return NOT_SPAM;
        reason(...rule.told);
        return Codes.FORBIDDEN;
      },
    },
    user_may_join_room: {
      match: (config) => ({ not: { user: free(config) } }),
      async handler({ user, room }, { data, reason }) {
        const rule = data.banOfRoom(room) ?? (await data.banOf(user));
        if (!rule) return NOT_SPAM;
        reason(...rule.told);
        return Codes.FORBIDDEN;
      },
    },
    check_event_for_spam: {
      match: (config) => ({
        ...(!config.local_messages && { local: false }),
        not: { sender: free(config), state_key: ["*"], type: ["m.room.redaction"] },
      }),
      async handler({ event }, { data, reason }) {
        const rule = await data.banOf(event.sender);
        if (!rule) return NOT_SPAM;
        reason(...rule.told);
        return Codes.FORBIDDEN;
      },
    },
    check_username_for_spam: {
      match: (config) => ({ not: { "user_profile.user_id": free(config) } }),
      handler: async ({ user_profile }, { data }) => (await data.banOf(user_profile.user_id)) !== undefined,
    },
  },
});

interface Config {
  readonly lists: readonly string[];
  readonly reader?: string | undefined;
  readonly via: readonly string[];
  readonly protected: readonly string[];
}

/** Whom Synapse need not ask about. The reader must not wait for `setup`, which waits for it. */
function free({ reader, protected: others }: Config): string[] {
  return [...others, ...(reader === undefined ? [] : [reader])];
}

interface Rule {
  /** For the admin's log. */
  readonly told: [text: string, details: JsonInputObject];
}

interface Rules {
  readonly exact: Map<string, Rule>;
  readonly globs: { readonly pieces: readonly string[]; readonly rule: Rule }[];
}

/** The rules of all lists, in this process. */
class BanLists {
  readonly #api: ApiOf<typeof grants>;
  readonly #log: SetupContext<Config>["log"];
  readonly #config: Config;
  readonly #rules = new Map<string, Record<Kind, Rules>>();
  /** By user id or room id; forgotten when a rule changes. */
  readonly #verdicts = new Map<string, Rule | undefined>();
  /** The readings under way, by list: one at a time, so that an older state never replaces a newer one. */
  readonly #reading = new Map<string, Promise<void>>();
  /** The readings that begin after those. Whoever wants another one shares it. */
  readonly #nextReading = new Map<string, Promise<void>>();
  /** The rules and admins of which the log has a warning. */
  readonly #warned = new Set<string>();
  /** The lists that were told about just now: whether they have changed since. */
  readonly #told = new Map<string, boolean>();
  readonly #closing = new AbortController();

  constructor({ api, log, config }: SetupContext<Config, typeof grants>) {
    this.#api = api;
    this.#log = log;
    this.#config = config;
  }

  /** @throws what the api throws: then the module is set up again later */
  async readAll(): Promise<void> {
    await Promise.all(this.#config.lists.map((room_id) => this.#read(room_id)));
    for (const room_id of this.#config.lists) this.#inBackground(() => this.#join(room_id));
    this.#inBackground(() => this.#refresh());
  }

  close(): void {
    this.#closing.abort();
  }

  /** Tells all processes that a list has changed. */
  async tell(room_id: RoomId): Promise<void> {
    if (this.#told.has(room_id)) {
      this.#told.set(room_id, true);
      return;
    }
    this.#told.set(room_id, false);
    this.#inBackground(async () => {
      await this.#pause(TELL_MS);
      const again = this.#told.get(room_id);
      this.#told.delete(room_id);
      if (again) await this.tell(room_id);
    });
    try {
      await this.#api.broadcast({ topic: "changed", value: room_id });
    } catch (error) {
      this.#log.error(
        { list: room_id, err: error },
        "a change of a ban list could not be told to all processes; it will be tried again",
      );
      this.#inBackground(async () => {
        await this.#pause(TELL_AGAIN_MS);
        await this.tell(room_id);
      });
    }
  }

  /** Reads a list again, now and a little later. */
  async changed(room_id: RoomId): Promise<void> {
    for (const ms of AGAIN_MS)
      this.#inBackground(async () => {
        await this.#pause(ms);
        await this.#read(room_id);
      });
    await this.#read(room_id);
  }

  /** The rule that bans a user. */
  async banOf(user_id: string): Promise<Rule | undefined> {
    const isMine = this.#api.is_mine({ id: user_id });
    const rule = this.#remembered(user_id, () => {
      const server = user_id.slice(user_id.indexOf(":") + 1);
      return this.#search("user", user_id) ?? (isMine ? undefined : this.#serverRule(server));
    });
    if (rule === undefined || !isMine) return rule;
    if (!(await this.#api.is_user_admin({ user_id }))) return rule;
    this.#warn(user_id, rule);
    return undefined;
  }

  #warn(user_id: string, { told: [, rule] }: Rule): void {
    const about = JSON.stringify([user_id, rule]);
    if (this.#warned.has(about)) return;
    if (this.#warned.size >= MAX_VERDICTS) this.#warned.clear();
    this.#warned.add(about);
    this.#log.warn({ user_id, rule }, "a rule bans an admin of this server, and is not applied");
  }

  /** The rule that bans a room. */
  banOfRoom(room_id: string): Rule | undefined {
    return this.#remembered(room_id, () => this.#search("room", room_id));
  }

  #remembered(id: string, look: () => Rule | undefined): Rule | undefined {
    if (this.#verdicts.has(id)) return this.#verdicts.get(id);
    const rule = look();
    if (this.#verdicts.size >= MAX_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(id, rule);
    return rule;
  }

  /** Rules name a server without its port, as server ACLs do. */
  #serverRule(name: string): Rule | undefined {
    return this.#search("server", name.toLowerCase().replace(/:\d{1,5}$/, ""));
  }

  #search(kind: Kind, text: string): Rule | undefined {
    for (const rules of this.#rules.values()) {
      const rule = rules[kind].exact.get(text);
      if (rule) return rule;
      const glob = rules[kind].globs.find(({ pieces }) => fits(text, pieces));
      if (glob) return glob.rule;
    }
    return undefined;
  }

  #read(room_id: string): Promise<void> {
    const next = this.#nextReading.get(room_id);
    if (next !== undefined) return next;
    const current = this.#reading.get(room_id);
    if (current === undefined) return this.#begin(room_id);
    const waiting = current
      .catch(() => {})
      .then(() => {
        this.#nextReading.delete(room_id);
        return this.#begin(room_id);
      });
    this.#nextReading.set(room_id, waiting);
    return waiting;
  }

  #begin(room_id: string): Promise<void> {
    const reading = this.#readNow(room_id).finally(() => this.#reading.delete(room_id));
    this.#reading.set(room_id, reading);
    return reading;
  }

  async #readNow(room_id: string): Promise<void> {
    const event_filter = allTypes.map((type): StateKey => [type, null]);
    const events = await this.#api.get_room_state({ room_id, event_filter });
    this.#rules.set(room_id, this.#rulesOf(room_id, events));
    this.#verdicts.clear();
  }

  #rulesOf(list: string, events: readonly Event[]): Record<Kind, Rules> {
    const none = (): Rules => ({ exact: new Map(), globs: [] });
    const rules = { user: none(), server: none(), room: none() };
    let [count, globs, ignored] = [0, 0, 0];
    for (const { type, content } of events) {
      const kind = kinds.find((one) => (types[one] as readonly string[]).includes(type));
      const { entity, recommendation, reason } = content;
      if (kind === undefined || typeof entity !== "string" || !bans.includes(recommendation)) continue;
      const isGlob = /[*?]/.test(entity);
      const isTooMuch = count >= MAX_RULES || (isGlob && globs >= MAX_GLOBS) || entity.length > MAX_ENTITY;
      if (isTooMuch || /^[*?@!:.]*$/.test(entity)) {
        ignored++;
        continue;
      }
      count++;
      const why = typeof reason === "string" ? reason.slice(0, 100) : "";
      const rule: Rule = { told: [`banned by a rule about a ${kind}`, { list, entity, why }] };
      const text = kind === "server" ? entity.toLowerCase() : entity;
      if (isGlob) {
        globs++;
        rules[kind].globs.push({ pieces: text.split("*"), rule });
      } else rules[kind].exact.set(text, rule);
    }
    this.#log.info({ list, count, ignored }, "a ban list was read");
    if (ignored > 0)
      this.#log.warn(
        { list, ignored },
        "rules were ignored: wildcards alone, too long an entity, or too many of them",
      );
    return rules;
  }

  async #refresh(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#pause(REFRESH_MS);
      for (const room_id of this.#config.lists) this.#inBackground(() => this.#read(room_id));
    }
  }

  /** Has the reader join a list, which may take as long as it takes. */
  async #join(room_id: string): Promise<void> {
    const { reader, via } = this.#config;
    if (reader === undefined) return;
    while (!this.#closing.signal.aborted) {
      try {
        const [member] = await this.#api.get_room_state({
          room_id,
          event_filter: [["m.room.member", reader]],
        });
        if (member?.content.membership === "join") return;
        await this.#api.update_room_membership({
          ...{ sender: reader, target: reader, room_id, new_membership: "join" },
          remote_room_hosts: via,
        });
        await this.#read(room_id);
        return;
      } catch (error) {
        this.#log.error(
          { list: room_id, err: error },
          `${reader} cannot join this ban list; it will be tried again`,
        );
        await this.#pause(RETRY_MS);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, undefined, { ref: false, signal: this.#closing.signal });
  }

  #inBackground(work: () => Promise<void>): void {
    work().catch((error) => {
      if (!this.#closing.signal.aborted) this.#log.error({ err: error }, "a ban list could not be read");
    });
  }
}

/**
 * Whether a text fits a glob, which was split at its stars. Each piece is taken at its first fitting place: if that fails, no
 * other choice fits. So the time is bounded by the length of the text times that of the glob.
 */
function fits(text: string, pieces: readonly string[]): boolean {
  const [first = "", ...middle] = pieces;
  const last = middle.pop();
  if (last === undefined) return text.length === first.length && stands(text, first, 0);
  const end = text.length - last.length;
  if (end < first.length || !stands(text, first, 0) || !stands(text, last, end)) return false;
  let at = first.length;
  for (const piece of middle) {
    while (at + piece.length <= end && !stands(text, piece, at)) at++;
    at += piece.length;
    if (at > end) return false;
  }
  return true;
}

function stands(text: string, piece: string, at: number): boolean {
  for (let offset = 0; offset < piece.length; offset++)
    if (piece[offset] !== "?" && piece[offset] !== text[at + offset]) return false;
  return true;
}

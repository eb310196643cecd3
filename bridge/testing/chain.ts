// Asks the modules of a test about one call, in the order and by the rules of the shim and of Synapse.
import { copyJson } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { DeclaredCallback, DeclaredLogin, Reply } from "../catalogue/protocol.js";
import { questionOf } from "../shim-rules/answer-cache.js";
import { isLocal } from "../shim-rules/match.js";
import { isPerModule, mergeAnswers } from "../shim-rules/outcome.js";
import { fillTemplate } from "../shim-rules/template.js";
import type { Exchange } from "./exchange.js";
import type { Entry, Loaded } from "./loaded.js";
import type { Question } from "./params.js";
import type { World } from "./world.js";

/** Whether any module was asked, and whether any answer was kept. */
export interface Progress {
  asked: boolean;
  cached: boolean;
}

/** The entries for a call. For a login: those of its type, whose fields must fit. */
export function entriesFor(
  callback: Callback,
  { login_type, login_dict }: Record<string, unknown>,
  loaded: Loaded,
): readonly Entry[] {
  const entries = loaded.entries.get(callback.name) ?? [];
  if (!callback.listed) return entries;
  const checkers = entries.filter(({ declared }) => (declared as DeclaredLogin).login_type === login_type);
  const fields = new Set(checkers.flatMap(({ declared }) => (declared as DeclaredLogin).fields));
  if (checkers.length === 0) return [];
  const given = Object.keys(isObject(login_dict) ? login_dict : {});
  const declared = [...fields].join(", ") || "none";
  const undeclared = given.filter((field) => !fields.has(field));
  if (undeclared.length > 0)
    throw new TypeError(
      `auth_checkers: login_dict.${undeclared[0]} is not among the fields that are declared for ${String(login_type)} (${declared}): Synapse does not pass it`,
    );
  const lacking = [...fields].filter((field) => !given.includes(field));
  if (lacking.length > 0)
    throw new TypeError(
      `auth_checkers: login_dict lacks ${lacking.join(", ")}: Synapse refuses such a login of the type ${String(login_type)} before it asks`,
    );
  return checkers;
}

export class Chain {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly world: World,
    private readonly exchange: Exchange,
  ) {}

  /** The reply of these entries, which all match. Throws the module's own error, or a SynapseError. */
  ask(callback: Callback, question: Question, entries: readonly Entry[], progress: Progress): Promise<Reply> {
    return isPerModule(callback, this.catalogue)
      ? this.#askEach(callback, question, entries, progress)
      : this.#askInOrder(callback, question, entries, progress);
  }

  /** As the shim's pipeline: in order until one decides, with one round trip for entries that stand together. */
  async #askInOrder(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    let reply: Reply = { answer: null, module: null, asked: [] };
    let editor: string | null = null;
    let unseen: { error: unknown } | undefined;
    for (let left = entries; left.length > 0; ) {
      const end = left.findIndex(
        ({ cache, link }, i) => i > 0 && (cache || left[0]?.cache || link !== left[0]?.link),
      );
      const together = end === -1 ? left : left.slice(0, end);
      try {
        reply = await this.#reply(callback, question, together, progress);
      } catch (error) {
        // Whatever becomes of a notification, the other modules are told, too.
        if (callback.delivery !== "notify") throw error;
        unseen ??= { error };
      }
      if (callback.edits !== undefined && reply.module !== null) {
        question.params[callback.edits] = reply.answer;
        editor = reply.module;
      } else if (reply.module !== null) return reply;
      left = left.slice(together.length);
    }
    if (unseen) throw unseen.error;
    return callback.edits === undefined || editor === null
      ? reply
      : { answer: question.params[callback.edits], module: editor, asked: [] };
  }

  /** As Synapse, where it asks each module for itself. */
  async #askEach(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    const merges = this.catalogue.type(callback.result).merge === true;
    const replies: Reply[] = [];
    for (const entry of entries) {
      const { fields } = entry.declared as DeclaredCallback;
      const reply =
        callback.listed || fields === undefined
          ? await this.#reply(callback, question, [entry], progress)
          : { answer: fillTemplate(callback, fields, question.params), module: entry.module, asked: [] };
      if (!merges && reply.module !== null) return reply;
      replies.push(reply);
      if (reply.answer === "ALL") break;
    }
    if (!merges) return replies.at(-1) ?? { answer: null, module: null, asked: [] };
    const answer = mergeAnswers(
      callback,
      replies.map((one) => one.answer),
    );
    return { answer, module: replies.find(({ module }) => module !== null)?.module ?? null, asked: [] };
  }

  async #reply(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    const ask = () => this.#send(callback, question, entries);
    const [{ cache } = {}] = entries;
    if (!cache) {
      progress.asked = true;
      return ask();
    }
    const state = question.room?.all.map(({ event_id }) => event_id) ?? [];
    const { reply, cached } = await cache.ask(questionOf(callback, question.params, state), ask);
    if (cached) progress.cached = true;
    else progress.asked = true;
    return cached ? { ...reply, answer: copyJson(reply.answer) } : reply;
  }

  /** One round trip. Throws the module's own error, or a SynapseError. */
  async #send(callback: Callback, question: Question, entries: readonly Entry[]): Promise<Reply> {
    const [first] = entries as readonly [Entry, ...Entry[]];
    const modules = entries.map(({ module }) => module);
    const params = { ...question.params };
    for (const [name, type] of Object.entries(callback.params)) {
      if (type !== "StateEvents") continue;
      const keys = entries.flatMap(({ declared }) => (declared as DeclaredCallback).room_state ?? []);
      params[name] = { events: question.room?.get(keys) ?? [] };
    }
    const local = isLocal(callback, question.params, this.world.server_name);
    const lent = { room: question.room, user: question.user };
    return this.exchange.send(
      first.link,
      `callback/${callback.name}`,
      callback.name,
      modules,
      local,
      lent,
      (call) => ({
        ...{ call, modules, params },
        ...(first.index !== undefined && { entry: first.index }),
      }),
    ) as Promise<Reply>;
  }
}

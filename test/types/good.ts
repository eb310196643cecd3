// Modules that must compile, under the strictest settings that an author may have.
import {
  type ApiOf,
  type CallbackNameOf,
  Codes,
  type ContextOf,
  contentOf,
  defineHead,
  defineModule,
  isApiError,
  isHttpResponseException,
  isSynapseError,
  isUserId,
  type JsonObject,
  malformed,
  NOT_SPAM,
  RateLimiter,
  RegistrationBehaviour,
  type RoomId,
  type StoreCount,
  SynapseError,
  type UserId,
} from "synapse-module-bridge";

export const everything = defineModule({
  configSchema: {
    type: "object",
    properties: { allowed_domains: { type: "array", items: { type: "string" } } },
    required: ["allowed_domains"],
    additionalProperties: false,
  },
  async setup({ config, api, log, signal }) {
    log.info({ domains: config.allowed_domains.length, gone: signal.aborted }, `at ${api.server_name}`);
    return { invites: new Map<string, number>() };
  },
  callbacks: {
    user_may_invite({ invitee }, { config, data, log }) {
      log.debug(data.invites.get(invitee));
      return config.allowed_domains.some((d) => invitee.endsWith(`:${d}`)) ? NOT_SPAM : Codes.FORBIDDEN;
    },
    check_event_allowed: {
      match: { type: ["m.room.message"], not: { sender: ["@bot:*"] } },
      room_state: [["m.room.power_levels", ""]],
      async handler({ event, state_events }, context) {
        const create = await state_events.get("m.room.create", "");
        context.log.info(create?.sender);
        return [true, { content: { ...event.content, checked: true } }];
      },
    },
  },
  web_resources: {
    "/_synapse/client/no_links/stats": async (_, { data }) => Response.json({ invites: data.invites.size }),
  },
});

export const empty = defineModule({});

export const withoutConfigAndSetup = defineModule({
  callbacks: {
    user_may_invite: ({ inviter }) => (inviter === "@a:b" ? [Codes.FORBIDDEN, { reason: "no" }] : NOT_SPAM),
    check_username_for_spam: async ({ user_profile }) => user_profile.display_name === null,
    should_drop_federated_event: ({ event }) => event.type.startsWith("org.example."),
    check_registration_for_spam: ({ email_threepid }) =>
      email_threepid?.address.endsWith("@example.org")
        ? RegistrationBehaviour.ALLOW
        : RegistrationBehaviour.DENY,
    check_can_deactivate_user: ({ by_admin }) => by_admin,
    on_new_event() {},
    async on_profile_update({ user_id, new_profile }, { log }) {
      log.info({ user_id }, new_profile.display_name ?? "no name");
    },
  },
});

export const setupWithoutArguments = defineModule({
  setup: () => ({ seen: new Set<string>() }),
  callbacks: {
    on_user_deactivation_status_changed({ user_id }, { data }) {
      data.seen.add(user_id);
    },
  },
});

export const setupWithoutData = defineModule({
  async setup({ api }) {
    await api.get_room_state({ room_id: "!r:example.org", event_filter: [["m.room.member", null]] });
  },
  callbacks: {
    user_may_create_room: (_, { data }) => {
      const none: undefined = data;
      return none ?? NOT_SPAM;
    },
  },
});

export const everyKindOfAnswer = defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { "content.msgtype": ["m.image"], "event.org.example": true, local: false },
      handler: async ({ event, ...rest }) => {
        const none: Record<never, never> = rest;
        if (event.state_key !== undefined) return Codes.BAD_STATE;
        return event.content.body === none ? [Codes.FORBIDDEN, { tags: ["a", 1, null] }] : NOT_SPAM;
      },
    },
    user_may_create_room: {
      match: { "room_config.preset": ["public_chat"], user_id: ["@*:example.org"] },
      handler: ({ room_config }) => (room_config?.name ? Codes.FORBIDDEN : NOT_SPAM),
    },
    check_event_allowed: ({ event }) => {
      if (event.sender === "@a:b") return false;
      if (event.sender === "@b:b") return { ...event, content: {} };
      if (event.sender === "@c:b") return { content: {}, unsigned: { a: 1 } };
      return event.sender === "@d:b" ? [false, null] : true;
    },
    on_create_room({ request_content, requester, is_requester_admin }) {
      if (requester.is_guest && !is_requester_admin) throw new SynapseError(403, "no", Codes.FORBIDDEN);
      request_content.topic = "hello";
      request_content.initial_state = [{ type: "m.room.guest_access", content: { guest_access: "no" } }];
    },
    async check_media_file_for_spam({ file_wrapper, file_info }) {
      const bytes = await file_wrapper.read();
      for await (const chunk of file_wrapper.stream()) if (chunk.length > bytes.length) break;
      return file_info.server_name === null ? NOT_SPAM : Codes.FORBIDDEN;
    },
    check_threepid_can_be_invited: {
      match: { medium: ["email"] },
      room_state: [["m.room.member", null]],
      handler: async ({ state_events }) => (await state_events.keys()).length > 0,
    },
  },
});

export const information = defineModule({
  callbacks: {
    is_user_expired: { match: { user_id: ["@guest*"] }, handler: () => null },
    get_ratelimit_override_for_user: ({ limiter_name }) =>
      limiter_name === "rc_invites.per_user" ? { per_second: 0.5, burst_count: 3 } : null,
    get_media_upload_limits_for_user: () => [{ max_bytes: 1, time_period_ms: 2 }],
    on_media_upload_limit_exceeded({ limit, sent_bytes }, { log }) {
      log.info({ over: sent_bytes - limit.max_bytes }, "exceeded");
    },
    on_legacy_renew: ({ renewal_token }) => [renewal_token !== "", false, Date.now()],
    on_legacy_admin_request: async ({ request }, { api }) => {
      const { user_id } = await api.get_user_by_req({ req: request });
      return user_id === (await request.text()) ? 5 : null;
    },
    get_interested_users: ({ user_id }) => (user_id === "@all:example.org" ? "ALL" : ["@star:example.org"]),
    get_users_for_states: ({ state_updates }) => ({
      "@all:example.org": state_updates.filter(({ state }) => state === "online"),
    }),
    on_event_delivered_over_federation: {
      match: { "event.server_name": ["*.example.org"], "event.method": ["/send"] },
      handler({ event: { event_ids } }, { log }) {
        log.debug({ delivered: event_ids.length }, "delivered");
      },
    },
  },
});

interface Answer {
  readonly evil: boolean;
}

export const functionsOfConfig = defineModule({
  configSchema: {
    type: "object",
    properties: {
      rooms: { type: "array", items: { type: "string" } },
      path: { type: "string", default: "stats" },
      mode: { enum: ["soft", "hard"] },
      limits: { type: "object", additionalProperties: { type: "integer" } },
    },
    required: ["rooms"],
    additionalProperties: false,
  },
  setup({ config: { mode } }) {
    return { hard: mode === "hard" };
  },
  callbacks: {
    check_event_allowed: {
      match: (config) => ({ room_id: config.rooms, local: true }),
      handler: (_, { data: { hard }, config: { limits } }) => !hard || limits?.rooms === 1,
    },
  },
  web_resources: ({ path }) => ({
    [`/_synapse/client/${path}`]: async (request, { api, signal }) => {
      try {
        const { user_id } = await api.get_user_by_req({ req: request });
        return (await api.is_user_admin({ user_id })) ? { signal: signal.aborted } : null;
      } catch (error) {
        if (isSynapseError(error)) return Response.json({ error: error.msg }, { status: error.code });
        throw error;
      }
    },
    "/_synapse/client/evil": () => {
      const answer: Answer = { evil: false };
      return { ...answer };
    },
  }),
});

export const everyUseOfTheApi = defineModule({
  async setup({ api }) {
    const ours: boolean = api.is_mine({ id: "@a:b" });
    const user: string = api.get_qualified_user_id({ username: "a" });
    const worker: string | null = api.worker_name;
    const data = await api.account_data_manager.get_global({ user_id: user, data_type: "m.direct" });
    await api.account_data_manager.put_global({ user_id: user, data_type: "x", new_data: { ...data } });
    const [room] = await api.create_room({ user_id: user, config: { preset: "private_chat" } });
    await api.public_room_list_manager.room_is_in_public_room_list({ room_id: room });
    const response = await api.http_client.request({
      method: "GET",
      uri: "http://x/",
      headers: { a: ["b"] },
    });
    const body: Uint8Array = response.body;
    const [template] = await api.read_templates({ filenames: ["a.html"] });
    const text: string | undefined = await template?.render({
      bytes: body.length,
      headers: response.headers,
    });
    try {
      await api.set_presence_for_users({ users: { [user]: ["online", null] } });
    } catch (error) {
      if (isHttpResponseException(error)) throw new Error(new TextDecoder().decode(error.response));
      if (isApiError(error) && error.kind === "wrong_process") return { ours, text };
      throw error;
    }
    await api.get_monthly_active_users_by_service();
    return { ours, worker, background: api.should_run_background_tasks() };
  },
});

export const stored = defineModule({
  async setup({ api }) {
    const count: number | undefined = await api.store.update<number>({
      key: "n",
      update: (n = 0) => n + 1,
      ttl: "1h",
    });
    const names = await api.store.get<string[]>({ key: "names" });
    const entries = await api.store.list({ prefix: "a/" });
    const done: boolean = await api.store.compare_and_set({
      key: "n",
      expected: undefined,
      value: { a: [1, null] },
    });
    const [first] = await api.run_db_interaction({
      desc: "d",
      statements: [{ sql: "SELECT ?", params: [new Uint8Array(1), null, true, 1, "x"], fetch: "one" }],
    });
    const length: number = await api.run_db_interaction({
      desc: "d",
      func: async (txn) => (await txn.execute("SELECT 1", [1])).rows.length,
    });
    const { allowed, retry_after_ms } = await new RateLimiter(api, {
      name: "n",
      limit: 1,
      per: "1h",
    }).consume("k");
    const { value }: StoreCount = await api.store.increment({
      key: "m",
      by: 2,
      ttl: allowed ? 1 : retry_after_ms,
    });
    return { count, names, entries, done, rows: first?.rows, length, value };
  },
});

export const logins = defineModule({
  configSchema: {
    type: "object",
    properties: { token: { type: "string" } },
    required: ["token"],
    additionalProperties: false,
  },
  setup: () => ({ logins: 0 }),
  callbacks: {
    auth_checkers: [
      {
        login_type: "m.login.password",
        fields: ["password"],
        match: { username: ["@guest*"] },
        handler: ({ username, login_dict }, { config }) =>
          login_dict.password === config.token ? `@${username}:example.org` : null,
      },
      {
        login_type: "org.example.token",
        fields: ["token", "device"],
        async handler({ username }, { data }) {
          return [
            username,
            async (login_response) => {
              data.logins++;
              login_response["org.example.logins"] = data.logins;
              login_response.device_id = "DEVICE";
            },
          ];
        },
      },
    ],
    check_3pid_auth: ({ address, password }) => (address === password ? ["@a:b", () => {}] : null),
  },
});

export const updatesAndFields = defineModule({
  callbacks: {
    on_update({ update_name, one_shot }, { log }) {
      return one_shot ? null : [100, () => log.info(update_name)];
    },
    default_batch_size: { ttl: "1h", handler: () => 50 },
    min_batch_size: () => null,
    check_username_for_spam: { match: { requester_id: ["@a:*"] }, ttl: 500, handler: () => false },
    check_visibility_can_be_modified: { room_state: [["m.room.create", ""]], ttl: "5s", handler: () => true },
    add_field_to_unsigned_callback: {
      match: { type: ["m.room.member"] },
      fields: { name: { $event: "content.displayname" }, list: ["a", { b: { $event: "sender" } }, null, 1] },
    },
  },
});

export const fieldsByHandler = defineModule({
  callbacks: {
    add_field_to_unsigned_callback: {
      ttl: "10m",
      handler: ({ event }) => ({ "org.example.length": Object.keys(event.content).length }),
    },
  },
});

export const whatIsGranted = defineModule({
  grants: ["store", "http_client.get_json", "account_data_manager"],
  async setup({ api }) {
    await api.store.set({ key: "k", value: await api.http_client.get_json({ uri: "http://x/" }) });
    await api.account_data_manager.put_global({ user_id: "@a:b", data_type: "x", new_data: {} });
    return { state: await api.get_room_state({ room_id: "!a:b" }), ours: api.is_mine({ id: "@a:b" }) };
  },
  callbacks: {
    async on_new_event(_, { api, data }) {
      await save(api, data.state.length);
      await api.store.update({ key: "n", update: (n?: number) => (n ?? 0) + 1 });
    },
  },
});

/** A helper names what it needs, and whoever has more may call it. */
async function save(api: ApiOf<readonly ["store"]>, value: number): Promise<string> {
  await api.store.set({ key: "v", value });
  return api.server_name;
}

export const withAllOfIt = defineModule({
  async setup({ api }) {
    await save(api, 1);
    await api.delete_room({ room_id: "!a:b" });
  },
});

interface Poll {
  question: string;
  answers: { text: string }[];
  closes?: number;
}

type Greeting = { text: string; to: string[] };

export const interfacesAreJson = defineModule({
  async setup({ api }) {
    const poll: Poll = { question: "When?", answers: [{ text: "now" }] };
    await api.store.set({ key: "poll", value: poll });
    await api.store.compare_and_set({ key: "polls", expected: undefined, value: [poll] });
    return poll;
  },
  callbacks: {
    check_event_allowed: (_, { data }) => ({ content: data }),
    user_may_create_room() {
      const fields: Poll = { question: "Why?", answers: [] };
      if (fields.closes) throw new SynapseError(403, "no", Codes.FORBIDDEN, fields);
      return [Codes.FORBIDDEN, fields];
    },
  },
  web_resources: {
    "/_synapse/client/poll": async (_, { data }) => data,
    "/_synapse/client/polls": (_, { data }) => ({ polls: [data], at: Date.now(), none: undefined }),
  },
});

export const contentsNarrow = defineModule({
  callbacks: {
    check_event_for_spam({ event }) {
      const { "m.mentions": mentions, body } = event.content;
      const greeting = event.content as Greeting;
      const poll = event.content as JsonObject & Poll;
      const { closes } = event.content as Partial<Poll>;
      if (closes && poll.answers.length > 3) return NOT_SPAM;
      if (typeof body === "string" && body.length > greeting.text.length) return Codes.FORBIDDEN;
      if (typeof mentions !== "object" || mentions === null) return NOT_SPAM;
      if (!Array.isArray(mentions)) return Array.isArray(mentions.user_ids) ? Codes.FORBIDDEN : NOT_SPAM;
      const [first, ...others] = mentions;
      const users = [...mentions.filter((one) => isUserId(one)), ...others];
      return first === users[0] ? NOT_SPAM : Codes.FORBIDDEN;
    },
    on_new_event({ event }, { log }) {
      log.info({ custom: event["org.example.custom"], type: event.type }, "an event");
    },
  },
});

export const idsOfEveryKind = defineModule({
  configSchema: {
    type: "object",
    properties: { admin: { type: "string" }, room: { type: "string" } },
    required: ["admin", "room"],
  },
  async setup({ api, config }) {
    const bot: UserId = api.get_qualified_user_id({ username: "bot" });
    await api.is_user_admin({ user_id: config.admin });
    await api.is_user_admin({ user_id: `@${config.admin}:${api.server_name}` });
    await api.is_user_admin({ user_id: "@a:b" });
    await api.send_local_online_presence_to({ users: [bot, config.admin] });
    const [room]: readonly [RoomId, ...unknown[]] = await api.create_room({
      user_id: bot,
      config: { preset: "private_chat", invite: [config.admin], "org.example.template": { a: 1 } },
    });
    await api.update_room_membership({ sender: bot, target: bot, room_id: room, new_membership: "leave" });
    return { watched: new Set<string>([config.room]), owner: config.admin };
  },
  callbacks: {
    user_may_invite: ({ inviter, room_id }, { data }) =>
      data.watched.has(room_id) && inviter !== data.owner ? Codes.FORBIDDEN : NOT_SPAM,
    get_interested_users: (_, { config }) => [config.admin],
    on_create_room({ request_content }) {
      request_content.visibility = "private";
      request_content["org.example.owner"] = request_content.name ?? null;
    },
  },
});

export const head = defineHead({
  configSchema: {
    type: "object",
    properties: { limit: { type: "integer", default: 3 }, keep: { type: "string", default: "10m" } },
  },
  grants: ["store"],
  async setup({ config, api }) {
    await api.store.set({ key: "limit", value: config.limit });
    return { invites: new Map<UserId, number>() };
  },
});

function countInvites(inviter: UserId, { data, config, log, reason }: ContextOf<typeof head>): boolean {
  const count = (data.invites.get(inviter) ?? 0) + 1;
  data.invites.set(inviter, count);
  log.debug({ count });
  if (count > config.limit) reason("too many invites", { count, limit: config.limit });
  return count <= config.limit;
}

export const withHead = defineModule({
  ...head,
  callbacks: {
    user_may_invite: {
      ttl: (config) => config.keep,
      match: (config) => ({ local: config.limit > 0 }),
      handler: ({ inviter }, context) => (countInvites(inviter, context) ? NOT_SPAM : Codes.FORBIDDEN),
    },
    async user_may_create_room({ user_id }, context) {
      await context.api.store.delete({ key: user_id });
      return countInvites(user_id, context) ? NOT_SPAM : Codes.FORBIDDEN;
    },
    auth_checkers: (config) =>
      config.limit === 0
        ? []
        : [
            {
              login_type: "org.example.token",
              fields: ["token"],
              handler: ({ username }, { data }) => (data.invites.size > 0 ? username : null),
            },
          ],
  },
  close({ data, log }) {
    log.info({ invites: data.invites.size }, "gone");
  },
});

export const typedContents = defineModule({
  callbacks: {
    async check_event_allowed({ event, state_events }) {
      const member = contentOf(event, "m.room.member");
      const membership: "invite" | "join" | "knock" | "leave" | "ban" | undefined = member?.membership;
      const levels = contentOf(await state_events.get("m.room.power_levels", ""), "m.room.power_levels");
      const level: number | undefined = levels?.users?.[event.sender];
      const message = contentOf(event, "m.room.message");
      const mentioned: readonly UserId[] | undefined = message?.["m.mentions"]?.user_ids;
      const edited: string | undefined = message?.["m.new_content"]?.body;
      const thread: string | undefined = contentOf(event, "m.room.encrypted")?.["m.relates_to"]?.rel_type;
      const poll = contentOf(event, "org.example.poll", {
        type: "object",
        properties: { answers: { type: "array", items: { type: "string" } }, votes: { type: "integer" } },
      });
      const answers: readonly string[] | undefined = poll?.answers;
      return (
        !malformed(event) &&
        membership !== "ban" &&
        (mentioned?.length ?? 0) + (edited?.length ?? 0) + (thread?.length ?? 0) < 100 &&
        (level ?? 0) + (poll?.votes ?? 0) > (answers?.length ?? 0)
      );
    },
  },
});

/** What a test, or createTester, makes of a module. */
export async function ask(context: ContextOf<typeof withHead>): Promise<boolean> {
  const { user_may_invite, user_may_create_room } = withHead.callbacks;
  const name: CallbackNameOf<typeof withHead> = "auth_checkers";
  const invite = await user_may_invite.handler(
    { inviter: "@a:b", invitee: "@b:b", room_id: "!c:b" },
    context,
  );
  return (await user_may_create_room({ user_id: "@a:b" }, context)) === invite && name.length > 0;
}

export const broadcasting = defineModule({
  grants: ["broadcast", "store"],
  setup: () => ({ names: new Map<string, number>() }),
  broadcasts: {
    any(value, { data, api, log, signal }) {
      log.info({ value, gone: signal.aborted, at: api.server_name }, `${data.names.size}`);
    },
    async forget({ user_id }: { user_id: string; since?: number }, { data }) {
      data.names.delete(user_id);
    },
    count: (n: number, { data }) => data.names.set("all", n),
  },
  callbacks: {
    async user_may_create_room({ user_id }, { api }) {
      await api.broadcast({ topic: "forget", value: { user_id } });
      return NOT_SPAM;
    },
  },
});

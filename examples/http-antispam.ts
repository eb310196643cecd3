// Asks an antispam server, such as Meowlnir or Draupnir, over HTTP: what the Python module synapse-http-antispam does. Any 2xx is
// a yes. Any other answer refuses, and the client gets its body.
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import {
  Codes,
  type ContextOf,
  defineHead,
  defineModule,
  type Event,
  type JsonInputObject,
  NOT_SPAM,
} from "synapse-module-bridge";

const names = [
  "check_event_for_spam",
  "check_login_for_spam",
  "check_username_for_spam",
  "federated_user_may_invite",
  "user_may_create_room",
  "user_may_create_room_alias",
  "user_may_invite",
  "user_may_join_room",
  "user_may_publish_room",
  "user_may_send_3pid_invite",
] as const;
type Name = (typeof names)[number];

/** By name of a callback. */
const switches = { type: "object", additionalProperties: { type: "boolean" }, default: {} } as const;

const head = defineHead({
  configSchema: {
    type: "object",
    properties: {
      base_url: { type: "string", pattern: "^https?://" },
      /** Sent as `Authorization: Bearer …`. */
      authorization: { type: "string" },
      authorization_path: { type: "string" },
      /** Asks the server at the start whether it is there, until it is. */
      do_ping: { type: "boolean", default: false },
      enabled_callbacks: { type: "array", items: { type: "string", enum: names }, default: names },
      /** Callbacks that tell the server, and do not wait for its answer. */
      async: switches,
      /** Whether a callback allows what the server does not judge. Only check_event_for_spam does by default. */
      fail_open: switches,
      /** In seconds. More than the bridge's own `timeout` has no effect. */
      timeout: { type: "number", exclusiveMinimum: 0, default: 1.5 },
    },
    required: ["base_url"],
    additionalProperties: false,
  },
  async setup({ config, log }) {
    const { authorization, authorization_path } = config;
    const token =
      authorization ?? (authorization_path && (await readFile(authorization_path, "utf8")).trim());
    // fetch would throw an error with the whole token in it, which the log would show.
    if (/[^\t\x20-\x7e]/.test(token ?? ""))
      throw new Error("the token has characters that no header can have");
    const data = { token, closing: new AbortController() };
    if (config.do_ping)
      ping({ config, data, log }).catch((error) => log.error({ err: error }, "the pinging has ended"));
    return data;
  },
});

type Context = ContextOf<typeof head>;
type Surroundings = Pick<Context, "config" | "log"> & {
  readonly data: { readonly token: string | undefined; readonly closing: AbortController };
};

const when = (name: Name, { enabled_callbacks }: Context["config"]) =>
  enabled_callbacks.includes(name) ? ["*"] : [];

export default defineModule({
  ...head,
  close: ({ data }) => data.closing.abort(),
  callbacks: {
    check_event_for_spam: {
      match: (config) => ({ type: when("check_event_for_spam", config) }),
      handler: ({ event }, context) => ask("check_event_for_spam", { event: forClient(event) }, context),
    },
    check_login_for_spam: {
      match: (config) => ({ user_id: when("check_login_for_spam", config) }),
      handler: (login, context) => ask("check_login_for_spam", login, context),
    },
    check_username_for_spam: {
      match: (config) => ({ "user_profile.user_id": when("check_username_for_spam", config) }),
      handler: async (found, context) => (await ask("check_username_for_spam", found, context)) !== NOT_SPAM,
    },
    federated_user_may_invite: {
      match: (config) => ({ type: when("federated_user_may_invite", config) }),
      handler: ({ event }, context) => ask("federated_user_may_invite", { event: forClient(event) }, context),
    },
    user_may_create_room: {
      match: (config) => ({ user_id: when("user_may_create_room", config) }),
      handler: ({ user_id }, context) => ask("user_may_create_room", { user_id }, context),
    },
    user_may_create_room_alias: {
      match: (config) => ({ user_id: when("user_may_create_room_alias", config) }),
      handler: (alias, context) => ask("user_may_create_room_alias", alias, context),
    },
    user_may_invite: {
      match: (config) => ({ inviter: when("user_may_invite", config) }),
      handler: (invite, context) => ask("user_may_invite", invite, context),
    },
    user_may_join_room: {
      match: (config) => ({ user: when("user_may_join_room", config) }),
      handler: (join, context) => ask("user_may_join_room", join, context),
    },
    user_may_publish_room: {
      match: (config) => ({ user_id: when("user_may_publish_room", config) }),
      handler: (publication, context) => ask("user_may_publish_room", publication, context),
    },
    user_may_send_3pid_invite: {
      match: (config) => ({ inviter: when("user_may_send_3pid_invite", config) }),
      handler: (invite, context) => ask("user_may_send_3pid_invite", invite, context),
    },
  },
});

type Refusal = readonly [Codes, JsonInputObject];

async function ask(name: Name, params: object, context: Context): Promise<typeof NOT_SPAM | Refusal> {
  const { config, log } = context;
  const refusal = post(name, params, context).then(refusalIn);
  if (config.async[name]) {
    refusal.catch((error) => log.error({ err: error, callback: name }, "the antispam server was not told"));
    return NOT_SPAM;
  }
  try {
    return (await refusal) ?? NOT_SPAM;
  } catch (error) {
    log.error({ err: error, callback: name }, "the antispam server did not judge");
    if (config.fail_open[name] ?? name === "check_event_for_spam") return NOT_SPAM;
    const why = error instanceof NoVerdict ? error.message : "Failed to connect to antispam server";
    return [Codes.UNKNOWN, { error: why }];
  }
}

function post(path: string, body: object, { config, data }: Surroundings): Promise<Response> {
  return fetch(`${config.base_url}/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(data.token && { authorization: `Bearer ${data.token}` }),
    },
    body: JSON.stringify(body),
    redirect: "error",
    signal: AbortSignal.any([AbortSignal.timeout(config.timeout * 1000), data.closing.signal]),
  });
}

class NoVerdict extends Error {}

/** What an answer refuses with; undefined if it allows. */
async function refusalIn(response: Response): Promise<Refusal | undefined> {
  const text = await response.text();
  if (response.ok) {
    JSON.parse(text); // what is none does not come from an antispam server
    return undefined;
  }
  const body = parsed(text);
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new NoVerdict("Unexpected response from antispam server");
  const { errcode, ...fields } = body as JsonInputObject & { readonly errcode?: unknown };
  const code = Object.values(Codes).find((known) => known === errcode);
  return code === undefined ? [Codes.FORBIDDEN, body as JsonInputObject] : [code, fields];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An event as clients get it. */
function forClient({ auth_events, prev_events, hashes, signatures, depth, ...event }: Event): object {
  const { internal_metadata, room_version, ...rest } = event;
  return rest;
}

async function ping(surroundings: Surroundings): Promise<void> {
  const { config, data, log } = surroundings;
  while (!data.closing.signal.aborted) {
    const id = crypto.randomUUID();
    try {
      const answer = (await (await post("ping", { id }, surroundings)).json()) as Record<string, unknown>;
      if (answer.id === id && answer.status === "ok") {
        log.info(`the antispam server at ${config.base_url} is there`);
        return;
      }
      log.error({ answer }, "the antispam server answers a ping with something else");
    } catch (error) {
      log.error({ err: error }, "the antispam server does not answer a ping");
    }
    await pause(5_000, undefined, { signal: data.closing.signal }).catch(() => undefined);
  }
}

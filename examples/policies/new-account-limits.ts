// Limits what a new account may send: messages in a minute and invites in an hour, counted over all processes of Synapse.
//
// For whom: servers with open registration, where spammers make an account and use it at once.
// Not limited: admins, users of application services, and who is under `exempt`. Users of other servers have the limits of
// their own servers.
// Limits: a client that is refused waits for the time that the answer names, and tries again. An account that was made and then
// left alone for `days` is as free as an old one.
import {
  Codes,
  type ContextOf,
  defineHead,
  defineModule,
  NOT_SPAM,
  RateLimiter,
  type UserId,
} from "synapse-module-bridge";

const DAY_MS = 24 * 60 * 60 * 1000;
/** For so many users it is remembered until when they are new. */
const MAX_KNOWN = 10_000;

const head = defineHead({
  configSchema: {
    type: "object",
    properties: {
      days: { description: "For so long an account is new.", type: "number", minimum: 0, default: 3 },
      messages_per_minute: {
        description: "Messages, stickers, polls and reactions; encrypted ones, too.",
        type: "integer",
        minimum: 0,
        default: 10,
      },
      invites_per_hour: {
        description: "Invites of users and of email addresses, also those of a room that is being created.",
        type: "integer",
        minimum: 0,
        default: 5,
      },
      exempt: {
        description: "Globs of user ids that are never limited, such as '@support-*:example.org'.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
    },
    additionalProperties: false,
  },
  grants: ["store"],
  setup: ({ api, config }) => ({
    messages: new RateLimiter(api, { name: "messages", limit: config.messages_per_minute, per: "1m" }),
    invites: new RateLimiter(api, { name: "invites", limit: config.invites_per_hour, per: "1h" }),
    newUntil: new Map<UserId, number>(),
  }),
});

type Context = ContextOf<typeof head>;

export default defineModule({
  ...head,
  callbacks: {
    check_event_for_spam: {
      match: (config) => ({
        local: true,
        not: {
          sender: config.exempt,
          // State has limits of its own: the power levels of the room. A redaction takes something away.
          state_key: ["*"],
          type: ["m.room.redaction"],
        },
      }),
      handler: ({ event }, context) => judge("messages", event.sender, context),
    },
    user_may_invite: {
      match: (config) => ({ local: true, not: { inviter: config.exempt } }),
      handler: ({ inviter }, context) => judge("invites", inviter, context),
    },
    user_may_send_3pid_invite: {
      match: (config) => ({ not: { inviter: config.exempt } }),
      handler: ({ inviter }, context) => judge("invites", inviter, context),
    },
  },
});

/** Counts one more, if the account is new. */
async function judge(what: "messages" | "invites", user: UserId, context: Context) {
  const { api, data, reason } = context;
  if (api.get_current_time_msec() >= (await newUntil(user, context))) return NOT_SPAM;
  const { allowed, retry_after_ms } = await data[what].consume(user);
  if (allowed) return NOT_SPAM;
  reason(`a new account has sent too many ${what}`);
  return [Codes.LIMIT_EXCEEDED, { retry_after_ms }] as const;
}

/**
 * When the account stops being new: 0 if it is not limited at all. It is asked for once, so whoever becomes an admin, or is one
 * no longer, counts as before until Node starts anew.
 */
async function newUntil(user_id: UserId, { api, config, data }: Context): Promise<number> {
  const known = data.newUntil.get(user_id);
  if (known !== undefined) return known;
  const account = await api.get_userinfo_by_id({ user_id });
  const isFree = account === null || account.is_admin || account.appservice_id !== null;
  // Synapse gives this time in seconds.
  const until = isFree ? 0 : account.creation_ts * 1000 + config.days * DAY_MS;
  if (data.newUntil.size >= MAX_KNOWN) data.newUntil.clear();
  data.newUntil.set(user_id, until);
  return until;
}

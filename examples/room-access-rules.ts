// Lets the state event im.vector.room.access_rules say who may be in a room (`restricted`, `unrestricted` or `direct`):
// what the Python module synapse-room-access-rules does.
import {
  type Api,
  defineModule,
  type Event,
  type JsonObject,
  type MutableJsonObject,
  type StateEvents,
  SynapseError,
} from "synapse-module-bridge";

const ACCESS_RULES = "im.vector.room.access_rules";
const THIRD_PARTY_INVITE = "m.room.third_party_invite";
const rules: readonly unknown[] = ["direct", "restricted", "unrestricted"];

/** Who may do what in new rooms: only moderators invite, and only admins change what is not listed here. */
const defaultLevels = {
  users_default: 0,
  events: {
    "m.room.name": 50,
    "m.room.power_levels": 100,
    "m.room.history_visibility": 100,
    "m.room.canonical_alias": 50,
    "m.room.avatar": 50,
    "m.room.tombstone": 100,
    "m.room.server_acl": 100,
    "m.room.encryption": 100,
  },
  events_default: 0,
  state_default: 100,
  ban: 50,
  kick: 50,
  redact: 50,
  invite: 50,
};

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      /** Servers whose users may not be invited to restricted rooms. */
      domains_forbidden_when_restricted: { type: "array", items: { type: "string" }, default: [] },
      /** The identity server that knows which homeserver an email address belongs to. */
      id_server: { type: "string" },
    },
    required: ["id_server"],
    additionalProperties: false,
  },
  callbacks: {
    on_create_room({ requester, request_content: room }, { config }) {
      const isDirect = Boolean(room.is_direct);
      room.initial_state ??= [];
      const state = room.initial_state as unknown as InitialEvent[];
      const given = state.filter(({ type }) => type === ACCESS_RULES).map(({ content }) => content.rule);
      for (const rule of given) {
        if (!rules.includes(rule) || (rule === "direct") !== isDirect) throw invalid("access rule");
      }
      const rule = given.at(-1) ?? (isDirect ? "direct" : "restricted");
      if (given.length === 0) state.push({ type: ACCESS_RULES, state_key: "", content: { rule } });

      const joinRules = state.filter(({ type }) => type === "m.room.join_rules");
      const isPublic = room.preset === "public_chat" || joinRules.at(-1)?.content.join_rule === "public";
      if (isPublic && rule === "direct") throw invalid("access rule");

      const forbidden = config.domains_forbidden_when_restricted;
      const mayBeFirst = (levels: JsonObject) =>
        Number(levels.invite ?? 50) >= 50 &&
        Number(levels.state_default ?? 100) >= 100 &&
        areLevelsAllowed(levels, rule, forbidden);
      const override = (room.power_level_content_override ?? {}) as MutableJsonObject;
      if (!mayBeFirst(override)) throw invalid("power levels content override");
      const levels = state.filter(({ type }) => type === "m.room.power_levels").map(({ content }) => content);
      if (!levels.every(mayBeFirst)) throw invalid("power levels content");

      const last = levels.at(-1);
      // Synapse fills an override into levels that have the creator, but takes an event as it is.
      if (last) fill(last, { ...defaultLevels, users: { [requester.user_id]: 100 } });
      else room.power_level_content_override = fill(override, defaultLevels);
    },

    check_event_allowed: {
      match: {
        type: [
          ...[ACCESS_RULES, "m.room.power_levels", "m.room.member", THIRD_PARTY_INVITE],
          ...["m.room.join_rules", "m.room.avatar", "m.room.name", "m.room.topic"],
        ],
      },
      room_state: [[ACCESS_RULES, ""]],
      async handler({ event, state_events }, { config, api }) {
        if (event.state_key === undefined) return true;
        const forbidden = config.domains_forbidden_when_restricted;
        const rule = await ruleOf(state_events);
        switch (event.type) {
          case ACCESS_RULES:
            return mayChangeRule(event, state_events, api);
          case "m.room.power_levels":
            return areLevelsAllowed(event.content, rule, forbidden);
          case "m.room.member":
          case THIRD_PARTY_INVITE:
            if (rule === "direct") return isAllowedInDirect(event, state_events);
            return isMembershipAllowed(event, rule, state_events, forbidden);
          case "m.room.join_rules":
            return rule !== "direct" || event.content.join_rule !== "public";
          default:
            return rule !== "direct"; // a direct room has no name, topic or avatar
        }
      },
    },

    async check_threepid_can_be_invited({ medium, address, state_events }, { config, signal }) {
      if (medium !== "email") return false;
      if ((await ruleOf(state_events)) !== "restricted") return true;
      if (!/^[^\s<>()[\]\\,;:@"]+@[^\s<>()[\]\\,;:@"]+$/.test(address)) return false;
      const query = new URLSearchParams({ medium, address });
      const response = await fetch(`https://${config.id_server}/_matrix/identity/api/v1/info?${query}`, {
        signal,
      });
      if (!response.ok) throw new Error(`${config.id_server} answered ${response.status}`);
      const { hs } = (await response.json()) as { hs?: string };
      return Boolean(hs) && !config.domains_forbidden_when_restricted.includes(hs as string);
    },

    async check_visibility_can_be_modified({ state_events, new_visibility }) {
      return new_visibility !== "public" || (await ruleOf(state_events)) === "restricted";
    },
  },
});

interface InitialEvent {
  readonly type: string;
  readonly state_key?: string;
  readonly content: MutableJsonObject;
}

function invalid(what: string): SynapseError {
  return new SynapseError(400, `Invalid ${what}`);
}

/** Adds what is missing. */
function fill(levels: MutableJsonObject, defaults: MutableJsonObject): MutableJsonObject {
  return Object.assign(levels, { ...structuredClone(defaults), ...levels });
}

function domainOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

async function ruleOf(state: StateEvents): Promise<unknown> {
  return (await state.get(ACCESS_RULES, ""))?.content.rule || "restricted";
}

/** In an unrestricted room nobody has power by default, and nobody of a forbidden server at all. */
function areLevelsAllowed(levels: JsonObject, rule: unknown, forbidden: readonly string[]): boolean {
  if (rule !== "unrestricted") return true;
  const users = Object.entries(levels.users ?? {});
  return (
    !levels.users_default && !users.some(([id, level]) => level !== 0 && forbidden.includes(domainOf(id)))
  );
}

async function mayChangeRule(event: Event, state: StateEvents, api: Api): Promise<boolean> {
  const { rule } = event.content;
  if (!rules.includes(rule)) return false;
  if (rule === "direct") {
    const { members, tokens } = await whoIsThere(state);
    if (members.length > 2 || tokens.length > 1) return false;
  }
  if (rule !== "restricted") {
    const { room_id } = event;
    if (await api.public_room_list_manager.room_is_in_public_room_list({ room_id })) return false;
  }
  const before = await state.get(ACCESS_RULES, "");
  return before === undefined || (before.content.rule === "restricted" && rule === "unrestricted");
}

async function isMembershipAllowed(
  { type, content, state_key = "" }: Event,
  rule: unknown,
  state: StateEvents,
  forbidden: readonly string[],
): Promise<boolean> {
  if (type !== "m.room.member" || !forbidden.includes(domainOf(state_key))) return true;
  if (rule !== "unrestricted") return content.membership !== "join" && content.membership !== "invite";
  if (content.membership !== "join") return true;
  return (await state.get("m.room.member", state_key))?.content.membership === "invite";
}

/** A direct room is for its creator and whom they invite first, by id or by email. */
async function isAllowedInDirect(event: Event, state: StateEvents): Promise<boolean> {
  const { type, state_key: target = "" } = event;
  const { members, tokens } = await whoIsThere(state);
  const byEmail = type === THIRD_PARTY_INVITE;
  // The same token again takes an invite back.
  if (byEmail && tokens.length === 1) return tokens.includes(target);
  if (members.length === 2) return !byEmail && members.includes(target);
  if (members.length === 1 && tokens.length === 1) {
    return members.includes(target) || tokens.includes(String(tokenOf(event)));
  }
  return true;
}

/** Everybody who has ever been there, and the tokens of invites by email that were not taken back. */
async function whoIsThere(state: StateEvents): Promise<{ members: string[]; tokens: string[] }> {
  const events = await state.getMany([
    ["m.room.member", null],
    [THIRD_PARTY_INVITE, null],
  ]);
  const keys = (wanted: string) =>
    events
      .filter(({ type, content }) => type === wanted && Object.keys(content).length > 0)
      .map(({ state_key }) => state_key as string);
  return { members: keys("m.room.member"), tokens: keys(THIRD_PARTY_INVITE) };
}

/** The token of the invite by email that an invite comes from. */
function tokenOf({ content }: Event): unknown {
  const invite = content.third_party_invite as { signed?: { token?: unknown } } | undefined;
  return invite?.signed?.token;
}

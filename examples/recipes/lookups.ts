// Shows server admins what Synapse knows of an event, a room and a user: what Python modules read from Synapse's own stores.
import { type ApiOf, defineModule, SynapseError } from "synapse-module-bridge";

type Api = ApiOf<readonly ["run_db_interaction"]>;

const path = "/_synapse/client/lookups";

export default defineModule({
  grants: ["run_db_interaction"],
  web_resources: {
    async [`${path}/event`](request, { api }) {
      const event = await eventById(api, await parameterOfAdmin(request, "event_id", api));
      if (event === undefined) throw new SynapseError(404, "No such event", "M_NOT_FOUND");
      return event;
    },
    async [`${path}/room`](request, { api }) {
      return { servers: await serversIn(api, await parameterOfAdmin(request, "room_id", api)) };
    },
    async [`${path}/user`](request, { api }) {
      const user_id = await parameterOfAdmin(request, "user_id", api);
      const threepids = await api.get_threepids_for_user({ user_id });
      return {
        threepids: threepids.map(({ medium, address }) => ({ medium, address })),
        external_ids: await externalIdsOf(api, user_id),
      };
    },
  },
});

/** An event as it came. The database keeps the content of a redacted one for a week, and has rejected ones, too. */
async function eventById(api: Api, event_id: string) {
  const [row] = await query(
    api,
    `SELECT event_json.json, event_json.room_id, rejections.event_id AS rejected,
       (SELECT MAX(redactions.event_id) FROM redactions WHERE redactions.redacts = event_json.event_id) AS redacted_by
     FROM event_json LEFT JOIN rejections ON rejections.event_id = event_json.event_id
     WHERE event_json.event_id = ?`,
    [event_id],
  );
  if (row === undefined || row.rejected !== null) return undefined;
  const { room_id, redacted_by } = row;
  const { content, ...event } = JSON.parse(row.json as string);
  if (redacted_by !== null) return { ...event, event_id, room_id, redacted_by };
  return { ...event, event_id, room_id, content };
}

/** The servers that have somebody in a room. */
async function serversIn(api: Api, room_id: string): Promise<string[]> {
  const members = await api.get_state_events_in_room({ room_id, types: [["m.room.member", null]] });
  const joined = members.filter(({ content }) => content.membership === "join");
  return [...new Set(joined.map(({ state_key = "" }) => state_key.slice(state_key.indexOf(":") + 1)))];
}

/** Who somebody is for the identity providers that they log in with. */
async function externalIdsOf(api: Api, user_id: string) {
  const sql =
    "SELECT auth_provider, external_id FROM user_external_ids WHERE user_id = ? ORDER BY auth_provider";
  const rows = await query(api, sql, [user_id]);
  return rows.map((row) => ({
    auth_provider: String(row.auth_provider),
    external_id: String(row.external_id),
  }));
}

async function query(api: Api, sql: string, params: readonly string[]) {
  const [result] = await api.run_db_interaction({ desc: "lookups", statements: [{ sql, params }] });
  return result?.rows ?? [];
}

/** A parameter of the query, if a server admin asks. */
async function parameterOfAdmin(request: Request, name: string, api: Api): Promise<string> {
  const { user_id } = await api.get_user_by_req({ req: request });
  if (!(await api.is_user_admin({ user_id }))) throw new SynapseError(403, "Admins only", "M_FORBIDDEN");
  const value = new URL(request.url).searchParams.get(name);
  if (value === null) throw new SynapseError(400, `Missing query parameter ${name}`, "M_MISSING_PARAM");
  return value;
}

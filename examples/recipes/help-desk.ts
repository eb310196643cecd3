// Lets the people of a help desk, who are not server admins, close rooms, deactivate accounts, add addresses to them, and make
// registration tokens. Synapse's admin API does it, with a server admin's token.
import {
  type Api,
  defineModule,
  isRoomId,
  isUserId,
  type JsonObject,
  SynapseError,
  type UserId,
} from "synapse-module-bridge";
import { askSynapse } from "./synapse-http.js";

const path = "/_synapse/client/help_desk";

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      staff: { type: "array", items: { type: "string", pattern: "^@" } },
      address: { type: "string", pattern: "^https?://" },
      token_file: { type: "string", minLength: 1 },
    },
    required: ["staff", "address", "token_file"],
    additionalProperties: false,
  },
  web_resources: {
    async [`${path}/close_room`](request, { api, config, signal }) {
      const { room_id } = await bodyFromStaff(request, config.staff, api);
      if (!isRoomId(room_id)) throw new SynapseError(400, "room_id is no room id", "M_INVALID_PARAM");
      // Everybody leaves, nobody comes back, and all of it is removed from the database, which may take long.
      return askSynapse(config, {
        method: "DELETE",
        path: `/_synapse/admin/v2/rooms/${encodeURIComponent(room_id)}`,
        body: { block: true, purge: true },
        signal,
      });
    },
    async [`${path}/deactivate`](request, { api, config, signal }) {
      const { user_id } = await bodyFromStaff(request, config.staff, api);
      if (!isUserId(user_id)) throw new SynapseError(400, "user_id is no user id", "M_INVALID_PARAM");
      await seeThatNoAdmin(user_id, api);
      await askSynapse(config, {
        method: "POST",
        path: `/_synapse/admin/v1/deactivate/${encodeURIComponent(user_id)}`,
        body: { erase: false },
        signal,
      });
      return {};
    },
    async [`${path}/add_address`](request, { api, config, signal }) {
      const { user_id, address } = await bodyFromStaff(request, config.staff, api);
      if (!isUserId(user_id) || typeof address !== "string")
        throw new SynapseError(400, "user_id and address are missing", "M_INVALID_PARAM");
      // This endpoint makes a user that does not exist, replaces the whole list, and takes an address from whoever has it.
      if (!(await api.check_user_exists({ user_id })))
        throw new SynapseError(404, "No such user", "M_NOT_FOUND");
      // Whoever has the address can set a new password.
      await seeThatNoAdmin(user_id, api);
      const known = await api.get_threepids_for_user({ user_id });
      const threepids = [
        ...known.map(({ medium, address }) => ({ medium, address })),
        { medium: "email", address },
      ];
      await askSynapse(config, {
        method: "PUT",
        path: `/_synapse/admin/v2/users/${encodeURIComponent(user_id)}`,
        body: { threepids },
        signal,
      });
      return {};
    },
    async [`${path}/registration_token`](request, { api, config, signal }) {
      await bodyFromStaff(request, config.staff, api);
      const expiry_time = api.get_current_time_msec() + 24 * 60 * 60 * 1000;
      const made = await askSynapse(config, {
        method: "POST",
        path: "/_synapse/admin/v1/registration_tokens/new",
        body: { uses_allowed: 1, expiry_time },
        signal,
      });
      return { token: made.token };
    },
    async [`${path}/default_room_version`](request, { api, config, signal }) {
      await bodyFromStaff(request, config.staff, api);
      const answer = await askSynapse(config, { path: "/_matrix/client/v3/capabilities", signal });
      const { "m.room_versions": versions } = answer.capabilities as { "m.room_versions": JsonObject };
      return { default_room_version: versions.default };
    },
  },
});

/** The token can do more than the help desk may: it must not take over or remove the admins. */
async function seeThatNoAdmin(user_id: UserId, api: Api): Promise<void> {
  if (await api.is_user_admin({ user_id })) throw new SynapseError(403, "That is an admin", "M_FORBIDDEN");
}

/** What somebody of the help desk has sent. */
async function bodyFromStaff(request: Request, staff: readonly string[], api: Api): Promise<JsonObject> {
  const { user_id } = await api.get_user_by_req({ req: request });
  if (!staff.includes(user_id)) throw new SynapseError(403, "For the help desk only", "M_FORBIDDEN");
  if (request.method !== "POST") throw new SynapseError(405, "Use POST", "M_UNRECOGNIZED");
  const body = await request.json().catch(() => undefined);
  if (typeof body === "object" && body !== null) return body as JsonObject;
  throw new SynapseError(400, "Content is not a JSON object", "M_NOT_JSON");
}

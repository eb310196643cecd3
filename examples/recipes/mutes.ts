// Refuses messages of users whom a server admin has muted. Each process remembers who is muted, and all forget it at a change.
import { Codes, defineModule, isUserId, NOT_SPAM, SynapseError } from "synapse-module-bridge";
import { ForgetfulCache } from "./forgetful-cache.js";

const keyOf = (user_id: string) => `muted/${user_id}`;

export default defineModule({
  grants: ["broadcast", "store"],
  setup({ api }) {
    const isMuted = async (user_id: string) => (await api.store.get({ key: keyOf(user_id) })) === true;
    return { muted: new ForgetfulCache(isMuted) };
  },
  broadcasts: {
    forget(user_id: string, { data }) {
      data.muted.forget(user_id);
    },
  },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message", "m.room.encrypted"], local: true },
      async handler({ event }, { data }) {
        return (await data.muted.get(event.sender)) ? Codes.FORBIDDEN : NOT_SPAM;
      },
    },
  },
  web_resources: {
    "/_synapse/client/mutes": async (request, { api }) => {
      const requester = await api.get_user_by_req({ req: request });
      if (!(await api.is_user_admin({ user_id: requester.user_id })))
        throw new SynapseError(403, "Admins only", "M_FORBIDDEN");
      const user_id = new URL(request.url).searchParams.get("user_id");
      if (!isUserId(user_id)) throw new SynapseError(400, "user_id is no user id", "M_INVALID_PARAM");
      const muted = request.method !== "DELETE";
      // First the truth, then the news: who hears of it finds it.
      if (muted) await api.store.set({ key: keyOf(user_id), value: true });
      else await api.store.delete({ key: keyOf(user_id) });
      await api.broadcast({ topic: "forget", value: user_id });
      return { user_id, muted };
    },
  },
});

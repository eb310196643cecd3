// A small example of each account validity callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  grants: ["store"],
  callbacks: {
    is_user_expired: {
      ttl: "1m",
      async handler({ user_id }, { api }) {
        const until = await api.store.get<number>({ key: `expires/${user_id}` });
        return until === undefined ? null : until < Date.now();
      },
    },
    async on_user_registration({ user_id }, { api }) {
      await api.store.set({ key: `expires/${user_id}`, value: Date.now() + 365 * 24 * 60 * 60 * 1000 });
    },
    on_user_login({ user_id, auth_provider_type }, { log }) {
      log.info({ user_id, auth_provider_type }, "a user has logged in");
    },
    on_legacy_send_mail({ user_id }, { log }) {
      log.info({ user_id }, "a renewal mail was asked for");
    },
    async on_legacy_renew({ renewal_token }, { api }) {
      const user_id = await api.store.get<string>({ key: `token/${renewal_token}` });
      if (user_id === undefined) return [false, false, 0];
      const expires = Date.now() + 365 * 24 * 60 * 60 * 1000;
      await api.store.set({ key: `expires/${user_id}`, value: expires });
      return [true, false, expires];
    },
    async on_legacy_admin_request({ request }, { api }) {
      const { user_id } = (await request.json()) as { user_id: string };
      const expires = Date.now() + 365 * 24 * 60 * 60 * 1000;
      await api.store.set({ key: `expires/${user_id}`, value: expires });
      return expires;
    },
  },
});

// A small example of each media repository callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

const MEGABYTE = 1024 * 1024;
const DAY = 24 * 60 * 60 * 1000;

export default defineModule({
  callbacks: {
    get_media_config_for_user({ user }) {
      return user.startsWith("@guest-") ? { "m.upload.size": MEGABYTE } : null;
    },
    is_user_allowed_to_upload_media_of_size({ user, size }) {
      return !user.startsWith("@guest-") || size <= MEGABYTE;
    },
    get_media_upload_limits_for_user({ user_id }) {
      return user_id.startsWith("@guest-") ? [{ max_bytes: 10 * MEGABYTE, time_period_ms: DAY }] : null;
    },
    on_media_upload_limit_exceeded({ user_id, sent_bytes }, { log }) {
      log.info({ user_id, sent_bytes }, "a user has reached an upload limit");
    },
  },
});

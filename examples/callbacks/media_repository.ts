// A small example of each media repository callback. The reference page shows them.
import { defineModule } from "synapse-module-bridge";

export default defineModule({
  callbacks: {
    get_media_config_for_user({ user_id }) {
      return user_id.startsWith("@guest-") ? { "m.upload.size": 1_048_576 } : null;
    },
    is_user_allowed_to_upload_media_of_size({ user_id, size }) {
      return !user_id.startsWith("@guest-") || size <= 1_048_576;
    },
    get_media_upload_limits_for_user({ user_id }) {
      return user_id.startsWith("@guest-") ? [{ max_bytes: 10_485_760, time_period_ms: 86_400_000 }] : null;
    },
    on_media_upload_limit_exceeded({ user_id, sent_bytes }, { log }) {
      log.info({ user_id, sent_bytes }, "a user has reached an upload limit");
    },
  },
});

/** A spam check beside web resources, of which one hangs what it runs in. */
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  web_resources: {
    "/_synapse/client/web/hang": () => {
      for (;;);
    },
    "/_synapse/client/web/slow": () => new Promise(() => undefined),
    "/_synapse/client/web/good": () => "good",
  },
  callbacks: {
    check_event_for_spam: ({ event }) =>
      String(event.content.body).includes("spam") ? Codes.FORBIDDEN : NOT_SPAM,
  },
});

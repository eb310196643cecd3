/** A spam check that any message can end or hang Node through. */
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const crashes: Readonly<Record<string, () => unknown>> = {
  "crash at once": () => process.exit(1),
  "crash later": () => {
    setTimeout(() => {
      throw new Error("thrown after the answer");
    }, 100);
  },
  "crash by a rejection": () => void Promise.reject(new Error("rejected, and not handled")),
  "crash by hanging": () => {
    for (;;);
  },
};

export default defineModule({
  callbacks: {
    async check_event_for_spam({ event }) {
      const body = String(event.content.body);
      crashes[body]?.();
      // Others are in flight meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return body.includes("spam") ? Codes.FORBIDDEN : NOT_SPAM;
    },
  },
});

/** The policy of the benchmark: looks at each message. bench_driver.py has its twin. */
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const isSpam = (body: unknown) => typeof body === "string" && body.includes("casino");

export default defineModule({
  callbacks: {
    check_event_for_spam: ({ event }) => (isSpam(event.content.body) ? Codes.FORBIDDEN : NOT_SPAM),
    check_event_allowed: ({ event }) => !isSpam(event.content.body),
  },
});

// Refuses the message "no", and writes down what happens to it: its `setup`, signs of life of its timer, and its `close`.
import { appendFileSync } from "node:fs";
import { ApiError, Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const ALIVE_MS = 100;

export default defineModule({
  configSchema: {
    type: "object",
    properties: { notes: { type: "string" }, path: { type: "string" } },
    required: ["notes", "path"],
    additionalProperties: false,
  },
  grants: ["store"],
  setup({ config: { notes } }) {
    appendFileSync(notes, "set-up\n");
    setInterval(() => appendFileSync(notes, "alive\n"), ALIVE_MS);
    return { notes };
  },
  close({ data: { notes } }) {
    appendFileSync(notes, "closed\n");
  },
  callbacks: {
    check_event_for_spam: ({ event }) => (event.content.body === "no" ? Codes.FORBIDDEN : NOT_SPAM),
  },
  web_resources: ({ path }) => ({
    [path]: async (_, { api }) => {
      try {
        await api.store.set({ key: "key", value: 1 });
        return { written: true };
      } catch (error) {
        return { written: false, kind: error instanceof ApiError ? error.kind : String(error) };
      }
    },
  }),
});

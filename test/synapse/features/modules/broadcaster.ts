/** Sends broadcasts when it is asked to, and tells what has come: by web requests, which each process serves for itself. */
import { setTimeout as pause } from "node:timers/promises";
import { defineModule, type JsonValue } from "synapse-module-bridge";

interface Request {
  readonly topic?: string;
  readonly value?: JsonValue;
  /** How often; the number is sent then. */
  readonly times?: number;
  /** Kept in the store before. */
  readonly keep?: boolean;
}

export default defineModule({
  configSchema: {
    type: "object",
    properties: { path: { type: "string" } },
    required: ["path"],
    additionalProperties: false,
  },
  grants: ["broadcast", "store"],
  async setup({ api }) {
    const kept = await api.store.get<JsonValue>({ key: "kept" });
    return { kept, got: [] as { value: JsonValue; at: number }[] };
  },
  broadcasts: {
    note(value, { data }) {
      data.got.push({ value, at: Date.now() });
    },
    async slow(ms: number, { data }) {
      await pause(ms);
      data.got.push({ value: ms, at: Date.now() });
    },
    broken() {
      throw new Error("cannot take it");
    },
  },
  web_resources: ({ path }) => ({
    [path]: async (request, { api, data }) => {
      if (request.method === "GET") return { got: data.got, kept: data.kept ?? null };
      const { topic = "note", value = null, times, keep } = (await request.json()) as Request;
      if (keep) await api.store.set({ key: "kept", value });
      const at = Date.now();
      try {
        if (times === undefined) await api.broadcast({ topic, value });
        for (let n = 0; n < (times ?? 0); n++) await api.broadcast({ topic, value: n });
        return { at, ms: Date.now() - at };
      } catch (error) {
        return { error: String(error), kind: (error as { kind?: string }).kind ?? null };
      }
    },
  }),
});

/** A module that does to its callbacks whatever the event says: each fault that a module can have, at will. */
import { spawn } from "node:child_process";
import { appendFileSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Codes, defineModule, type Event, NOT_SPAM } from "synapse-module-bridge";

export interface Order {
  /** The callback that is to do it; others pass. */
  readonly callback: string;
  readonly act: string;
  /** The module that is to do it; default: any. */
  readonly for?: string;
  readonly ms?: number;
  readonly value?: unknown;
}

interface Surroundings {
  readonly config: { readonly name?: string; readonly seen?: string };
  readonly signal: AbortSignal;
  readonly log: { warn(text: string): void };
}

const configSchema = {
  type: "object",
  properties: { name: { type: "string" }, seen: { type: "string" } },
  additionalProperties: false,
} as const;

async function obey(event: Event, callback: string, { config, signal, log }: Surroundings): Promise<unknown> {
  const order = event.content.order as unknown as Order | undefined;
  if (order?.callback !== callback || (order.for && order.for !== config.name)) return undefined;
  if (config.seen) appendFileSync(config.seen, `${callback} ${event.event_id} ${order.act}\n`);
  switch (order.act) {
    case "refuse":
      return callback === "check_event_allowed" ? false : Codes.FORBIDDEN;
    case "hang":
      signal.addEventListener("abort", () => log.warn("a hanging handler was told to stop"));
      return new Promise(() => {});
    case "slow":
      await pause(order.ms);
      return undefined;
    case "block":
      return blockForEver();
    case "answer":
      return order.value;
    case "replace":
      return [true, { ...event, ...replacements[String(order.value)]?.(event) }];
    case "throw":
      throw new Error("thrown on demand");
    case "exit":
      process.exit(3);
      break;
    case "print":
      writeSync(1, "Content-Length: 1000000\r\n\r\nnot for the wire\n");
      return undefined;
    case "grandchild":
      spawn("sh", ["-c", "echo 'Content-Length: 7'; cat; sleep 1"], { stdio: "inherit" });
      return undefined;
  }
  return undefined;
}

/** A name that is looked for in the log. */
function blockForEver(): never {
  for (;;);
}

/** Replacements that Synapse must never see, or that it must refuse itself. */
const replacements: Readonly<Record<string, (event: Event) => object>> = {
  room_id: () => ({ room_id: "!elsewhere:test.localhost" }),
  type: () => ({ type: "m.room.topic" }),
  state_key: () => ({ state_key: "" }),
  "64 KiB": ({ content }) => ({ content: { ...content, body: "x".repeat(70_000) } }),
  "a fraction": ({ content }) => ({ content: { ...content, number: 1.5 } }),
  "an integer beyond 2^53": ({ content }) => ({ content: { ...content, number: 2 ** 60 } }),
  "a lone surrogate": ({ content }) => ({ content: { ...content, body: "\ud800" } }),
  "a list as content": () => ({ content: ["no object"] }),
  "5000 levels": ({ content }) => {
    let deep: unknown = "bottom";
    for (let level = 0; level < 5_000; level++) deep = [deep];
    return { content: { ...content, deep } };
  },
  __proto__: ({ content }) => ({
    content: { ...content, ...JSON.parse('{"__proto__": {"polluted": true}}') },
  }),
};

const match = { type: ["m.room.message", "m.room.topic", "org.example.note"] };

export default defineModule({
  configSchema,
  callbacks: {
    check_event_for_spam: {
      match,
      handler: async ({ event }, context) =>
        ((await obey(event, "check_event_for_spam", context)) ?? NOT_SPAM) as typeof NOT_SPAM,
    },
    check_event_allowed: {
      match,
      handler: async ({ event }, context) =>
        ((await obey(event, "check_event_allowed", context)) ?? true) as boolean,
    },
  },
});

/** Writes down which process asked which callback, and lets pass all but messages that ask to be refused. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Codes, defineModule, type Event, NOT_SPAM } from "synapse-module-bridge";
import { callbacks, singleCallbacks } from "../../differential/callbacks.js";
import { pass } from "../../differential/decide.js";

interface Context {
  readonly config: { readonly log: string };
  readonly api: { readonly worker_name: string | null };
}
type Params = { readonly event?: Event; readonly [name: string]: unknown };

const witness =
  (callback: string) =>
  async (params: Params, { config, api }: Context) => {
    const { state_events: _, file_wrapper: __, ...rest } = params;
    const call = { process: api.worker_name ?? "main", callback, event_id: params.event?.event_id };
    appendFileSync(config.log, `${JSON.stringify({ ...call, params: rest })}\n`);
    if (callback === "check_event_allowed" && params.event?.content.refuse) {
      await pause(Number(params.event.content.after_ms ?? 0));
      return false;
    }
    if (callback === "check_event_for_spam" && params.event?.content.spam) return Codes.FORBIDDEN;
    if (callback === "get_media_upload_limits_for_user" && String(params.user_id).startsWith("@glutton"))
      return [{ max_bytes: 3, time_period_ms: 3_600_000 }];
    return callback in pass ? pass[callback] : NOT_SPAM;
  };

export default defineModule({
  configSchema: {
    type: "object",
    properties: { log: { type: "string" } },
    required: ["log"],
    additionalProperties: false,
  },
  callbacks: Object.fromEntries(
    Object.keys({ ...callbacks, ...singleCallbacks }).map((name) => [name, witness(name)]),
    // biome-ignore lint/suspicious/noExplicitAny: one function serves the parameters and answers of all callbacks
  ) as any,
});

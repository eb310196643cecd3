/** A module that takes and gives in bulk: a flooded log, calls and answers of many megabytes, thousands of verdicts. */
import { existsSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";

const MEBIBYTE = 2 ** 20;

/** Lines of the log, until it has had so many MiB. Between them other calls have their turn. */
async function flood(mebibytes: number): Promise<void> {
  const line = `${JSON.stringify({ level: 30, msg: "x".repeat(200) })}\n`;
  const chunk = Buffer.from(line.repeat(MEBIBYTE / line.length));
  for (let written = 0; written < mebibytes * MEBIBYTE; ) {
    try {
      written += writeSync(2, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    await pause(0);
  }
}

export default defineModule({
  configSchema: {
    type: "object",
    properties: { go: { type: "string" } },
    required: ["go"],
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["org.example.flood"] },
      async handler({ event }) {
        await flood(Number(event.content.mebibytes));
        return Codes.FORBIDDEN;
      },
    },
    check_event_allowed: {
      match: { type: ["org.example.look", "org.example.big_answer"] },
      async handler({ event, state_events }) {
        if (event.type === "org.example.big_answer") {
          const fields = { much: "x".repeat(Number(event.content.mebibytes) * MEBIBYTE) };
          throw new SynapseError(403, "big", "M_FORBIDDEN", fields);
        }
        const size = JSON.stringify(await state_events.all()).length;
        throw new SynapseError(403, "looked", "M_FORBIDDEN", { size });
      },
    },
    user_may_create_room({ room_config = {} }) {
      return "filler" in room_config
        ? [Codes.FORBIDDEN, { size: String(room_config.filler).length }]
        : NOT_SPAM;
    },
    user_may_invite({ room_id }) {
      return /odd/.test(room_id) ? Codes.FORBIDDEN : NOT_SPAM;
    },
    on_new_event: {
      match: { type: ["m.room.message"] },
      room_state: [["org.example.filler", null]],
      async handler({ event }, { config }) {
        while (event.content.body === "stuck" && !existsSync(config.go)) await pause(50);
      },
    },
  },
});

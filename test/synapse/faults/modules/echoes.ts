/** A module that prints, logs and answers with what users write, in every way that there is. */
import { execSync } from "node:child_process";
import { writeSync } from "node:fs";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { globs: { type: "array", items: { type: "string" } } },
    additionalProperties: false,
  },
  callbacks: {
    check_event_for_spam: {
      match: ({ globs = ["*"] }) => ({ type: ["m.room.message"], "content.body": globs }),
      async handler({ event }, { log }) {
        const { body, act, ...rest } = event.content as { body: string; act?: string };
        switch (act) {
          case "print":
            console.log(body);
            await null;
            process.stderr.write(`${body}\n`);
            log.info({ ...rest }, body);
            break;
          case "print raw":
            writeSync(1, `${body}\n`);
            execSync("cat", { input: `${body}\n`, stdio: ["pipe", "inherit", "inherit"] });
            break;
          case "print and abort":
            writeSync(2, `${body}\n`);
            process.abort();
            break;
          case "flood":
            for (let line = 0; line < 20; line++) log.info("x".repeat(60_000));
            break;
          case "refuse":
            return Codes.FORBIDDEN;
        }
        return NOT_SPAM;
      },
    },
    check_event_allowed: {
      match: { "content.act": ["replace"] },
      handler: ({ event }) => [true, { content: { ...event.content, seen: true } }],
    },
  },
});

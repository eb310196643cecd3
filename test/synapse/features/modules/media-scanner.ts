// Refuses media files that hold "spam", and writes down each that it is asked about.
import { appendFileSync } from "node:fs";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  configSchema: {
    type: "object",
    properties: { log: { type: "string" } },
    required: ["log"],
    additionalProperties: false,
  },
  callbacks: {
    check_media_file_for_spam: {
      ttl: "10m",
      async handler({ file_wrapper, file_info }, { config }) {
        const text = Buffer.from(await file_wrapper.read()).toString();
        appendFileSync(config.log, `${file_info.server_name ?? "ours"} ${text}\n`);
        return text.includes("spam") ? Codes.FORBIDDEN : NOT_SPAM;
      },
    },
  },
});

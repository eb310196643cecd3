/** A module that asks another server with what the message names. */
import { request } from "node:http";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const statusOf = (url: string) =>
  new Promise<number>((resolve, reject) => {
    request(url, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once("error", reject)
      .end();
  });

export default defineModule({
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      async handler({ event: { content } }) {
        if (content.fetch) return (await fetch(String(content.fetch))).ok ? NOT_SPAM : Codes.FORBIDDEN;
        if (content.http) return (await statusOf(String(content.http))) === 200 ? NOT_SPAM : Codes.FORBIDDEN;
        return content.body === "spam" ? Codes.FORBIDDEN : NOT_SPAM;
      },
    },
  },
});

// A module that misbehaves when a message tells it to.
import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";

const frame = 'Content-Length: 45\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{"answer":1}}';

export default defineModule({
  callbacks: {
    async check_event_for_spam({ event }, { signal, log }) {
      const body = String(event.content.body ?? "");
      if (body.startsWith("print")) {
        console.log("printed by console.log");
        process.stdout.write("printed by process.stdout\n");
        writeSync(1, `printed by a raw write\n${frame}`);
        const script = "process.stdout.write('printed by a child'); process.stdin.resume()";
        spawnSync(process.execPath, ["-e", script], { stdio: "inherit", timeout: 10_000 });
      }
      if (body === "hang") {
        signal.addEventListener("abort", () => log.warn("the handler's signal was aborted"));
        await new Promise(() => undefined);
      }
      if (body === "reject later") void Promise.reject(new Error("nobody caught this"));
      return body.includes("spam") ? Codes.FORBIDDEN : NOT_SPAM;
    },
    // Unfit answers, for which the types have no place.
    user_may_invite: (({ invitee }: { invitee: string }) => {
      if (invitee.startsWith("@nothing")) return undefined;
      return invitee.startsWith("@list") ? ["M_FORBIDDEN"] : NOT_SPAM;
    }) as () => typeof NOT_SPAM,
    user_may_create_room: ({ user_id }) => (user_id.startsWith("@exits") ? process.exit(7) : NOT_SPAM),
    async check_event_allowed({ event }) {
      if (event.content["org.example.hang"] === true) await new Promise(() => undefined);
      return true;
    },
    async check_can_deactivate_user() {
      return new Promise<never>(() => undefined);
    },
    async on_new_event({ event }) {
      if (event.content.body === "slow news") await new Promise(() => undefined);
    },
    is_user_expired: {
      match: { user_id: ["@leaves:*"] },
      handler: (_, { signal, log }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => log.warn("nobody waits for the user any more"));
          log.warn("the user waits");
        }),
    },
    async check_username_for_spam() {
      return new Promise<never>(() => undefined);
    },
  },
});

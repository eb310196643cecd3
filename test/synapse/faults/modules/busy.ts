/** A module that keeps timers, a socket and a process of its own: none of them may keep Node alive. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

export default defineModule({
  setup() {
    setInterval(() => {}, 50);
    createServer().listen(0, "127.0.0.1");
    spawn("sleep", ["8"], { stdio: "ignore" });
  },
  callbacks: { user_may_invite: () => NOT_SPAM },
});

/** A module that breaks what it runs in when a message orders it to. */
import { execSync } from "node:child_process";
import { defineModule, NOT_SPAM } from "synapse-module-bridge";

const acts: Readonly<Record<string, () => unknown>> = {
  exit: () => process.exit(3),
  throw: () => {
    setTimeout(() => {
      throw new Error("thrown in a timer");
    });
    return new Promise(() => {});
  },
  reject: () => {
    void Promise.reject(new Error("rejected"));
    return new Promise(() => {});
  },
  memory: () => {
    for (const all: number[][] = []; ; ) all.push(new Array(1_000).fill(1.5));
  },
  block: () => {
    for (;;);
  },
  execSync: () => execSync("sleep 30"),
  hang: () => new Promise(() => {}),
};

export default defineModule({
  configSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { config }) {
        const { act = "", by } = (event.content.breaks ?? {}) as { act?: string; by?: string };
        if (by === config.name) await acts[act]?.();
        return NOT_SPAM;
      },
    },
  },
});

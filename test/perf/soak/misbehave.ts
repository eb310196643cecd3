/** What a bad module can do to its process, each by the name that a message of the soak asks for it with. */
import { setTimeout as pause } from "node:timers/promises";

export async function misbehave(fault: string): Promise<boolean> {
  switch (fault) {
    case "throw":
      throw new Error("the soak wanted this to be thrown");
    case "never settle":
      return new Promise(() => undefined);
    case "slow":
      await pause(2000);
      return true;
    case "unhandled rejection":
      void Promise.reject(new Error("the soak wanted nobody to handle this"));
      return new Promise(() => undefined);
    case "reject":
      void Promise.reject(new Error("the soak wanted nobody to handle this"));
      await pause(20);
      return true;
    case "throw later":
      setTimeout(() => {
        throw new Error("the soak wanted this after the answer");
      }, 100);
      return true;
    case "block":
      for (;;) {}
    case "exit":
      return process.exit(3);
    case "flood":
      for (let lines = 0; lines < 40_000; lines += 2_000) {
        for (let line = 0; line < 2_000; line += 1) console.log(`flood ${lines + line} ${"x".repeat(200)}`);
        await pause(1);
      }
      return true;
    case "out of memory": {
      const kept: number[][] = [];
      for (;;) {
        kept.push(new Array<number>(500_000).fill(kept.length + 0.5));
        await pause(1);
      }
    }
    default:
      return true;
  }
}

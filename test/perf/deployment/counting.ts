/** Counts as the body of a web request says, and answers how long it took. */
import { setTimeout as pause } from "node:timers/promises";
import { defineModule, RateLimiter } from "synapse-module-bridge";

interface Asked {
  /** What is done. */
  readonly by: "consume" | "update" | "get";
  readonly times: number;
  readonly at_once: number;
  /** All count on this key. Without it, each on one of its own. */
  readonly key?: string;
  readonly limit: number;
  /** At most so many begin in a second. */
  readonly per_second?: number;
}

export default defineModule({
  grants: ["store"],
  web_resources: {
    "/_synapse/client/counting": async (request, { api }) => {
      const { by, times, at_once, key, limit, per_second } = (await request.json()) as Asked;
      const limiter = new RateLimiter(api, { name: "bench", limit, per: "1h" });
      const run = `${api.worker_name}/${Date.now()}`;
      let [next, allowed] = [0, 0];
      const once = async (of: string) => {
        if (by === "consume") allowed += Number((await limiter.consume(of)).allowed);
        else if (by === "get") await api.store.get({ key: of });
        else await api.store.update<number>({ key: of, update: (count = 0) => count + 1, ttl: "1h" });
      };
      const began = performance.now();
      const taken: number[] = [];
      const worker = async () => {
        for (;;) {
          const n = next++;
          if (n >= times) return;
          if (per_second) await pause(Math.max(0, (n * 1000) / per_second - (performance.now() - began)));
          const at = performance.now();
          await once(key ?? `${run}/${n}`);
          taken.push(performance.now() - at);
        }
      };
      await Promise.all(Array.from({ length: at_once }, worker));
      const ms = performance.now() - began;
      taken.sort((a, b) => a - b);
      const at = (part: number) => taken[Math.floor(taken.length * part)] ?? 0;
      return { allowed, ms, p50: at(0.5), p99: at(0.99) };
    },
  },
});

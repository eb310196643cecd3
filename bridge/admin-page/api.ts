// The admin API by its names, for one session.
import { ADMIN_LIMITS, type AdminEndpoints, type Mode, type PutModule } from "../catalogue/admin-api.js";
import { type RequestOptions, request, type Session } from "./requests.js";

type Answer<Endpoint extends keyof AdminEndpoints> = Promise<AdminEndpoints[Endpoint]["answer"]>;
export type DecisionQuery = AdminEndpoints["GET decisions"]["query"];

export interface Api {
  status(): Answer<"GET status">;
  decisions(query: DecisionQuery): Answer<"GET decisions">;
  erase(user: string): Answer<"DELETE decisions">;
  setMode(module: string, mode: Mode, more: Omit<PutModule, "mode">): Answer<"PUT modules/<name>">;
  resetMode(module: string): Answer<"DELETE modules/<name>">;
  reload(): Answer<"POST reload">;
  /** `since` is a duration back from now, also in `counters`. */
  shadow(since: string): Answer<"GET shadow">;
  endQuarantine(id: string): Answer<"DELETE quarantines/<id>">;
  counters(since: string): Answer<"GET counters">;
}

/** `failed` hears of each request that fails. */
export function apiOf(session: Session, failed: (error: unknown) => void): Api {
  async function send<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    try {
      return await request<T>(method, `v1/${path}`, { ...options, session });
    } catch (error) {
      failed(error);
      throw error;
    }
  }
  const segment = encodeURIComponent;
  return {
    status: () => send("GET", "status", { timeoutMs: 10_000 }),
    decisions: (query) => send("GET", "decisions", { query }),
    erase: (user) => send("DELETE", "decisions", { query: { user } }),
    setMode: (module, mode, more) => send("PUT", `modules/${segment(module)}`, { body: { mode, ...more } }),
    resetMode: (module) => send("DELETE", `modules/${segment(module)}`),
    // Longer than the server waits for its processes.
    reload: () => send("POST", "reload", { timeoutMs: ADMIN_LIMITS.reload_wait_ms + 30_000 }),
    shadow: (since) => send("GET", "shadow", { query: { since } }),
    endQuarantine: (id) => send("DELETE", `quarantines/${segment(id)}`),
    counters: (since) => send("GET", "counters", { query: { since } }),
  };
}

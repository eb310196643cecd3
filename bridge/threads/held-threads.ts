// Counts held threads: threads that were given up and cannot end, since native code such as execSync holds them. Only the end
// of Node frees them. A module with too many gets no new thread, and Node ends after a while, so that the shim restarts it.
import { EventEmitter, once } from "node:events";
import { CAUSES, type End, LIMITS } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";

/** The part of a thread that is used here. */
interface WatchedThread {
  readonly modules: readonly string[];
  readonly hasEnded: boolean;
  readonly heardAt: number;
  readonly ended: Promise<End>;
  readonly exited: Promise<void>;
}

// The limit for one module.
const MOST_HELD = 8;
// The limit for all modules, since each held thread takes memory.
const MOST_OF_ALL = 32;
// If fewer than this are left, Node does not end after all.
const FEW_HELD = MOST_HELD / 2;
// A thread that has not ended after this time is held.
const ENDING_MS = 1_000;
// A thread that is not blocked sends a pulse more often than this, also on a busy machine.
const SILENT_MS = 10 * LIMITS.pulse_ms;

/** All threads that have not exited yet. */
export const liveThreads = new Set<WatchedThread>();

/** Whether some thread would keep the process from exiting: Node waits for its threads, and native code may take any time. */
export function threadsBlockExit(): boolean {
  return [...liveThreads].some(
    ({ hasEnded, heardAt }) => hasEnded || performance.now() - heardAt > SILENT_MS,
  );
}

export class HeldThreads {
  /** How long to wait with too many held threads before Node ends. The shim sets it by how often that has happened. */
  patience_ms = 0;
  /** By thread that was given up and has not exited: its modules. */
  #givenUp = new Map<WatchedThread, readonly string[]>();
  #held = new Set<WatchedThread>();
  #events = new EventEmitter().setMaxListeners(0);
  #ending: NodeJS.Timeout | undefined;

  /** `endNode` ends the process at once. */
  constructor(
    private readonly log: Logger,
    private readonly endNode: (end: End) => void,
  ) {}

  /** Adds a thread that was given up. Resolves when it has exited. */
  async add(thread: WatchedThread): Promise<void> {
    const { module } = await thread.ended;
    this.#givenUp.set(thread, module === null ? thread.modules : [module]);
    const timer = setTimeout(() => {
      this.#held.add(thread);
      this.#check();
    }, ENDING_MS).unref();
    await thread.exited;
    clearTimeout(timer);
    this.#givenUp.delete(thread);
    if (this.#held.delete(thread)) this.#check();
    this.#events.emit("change");
  }

  /** Why these modules get no new thread; undefined if they do. */
  refuses(names: readonly string[]): string | undefined {
    const most = Math.max(...names.map((name) => this.#count(name, this.#givenUp.keys())));
    return most < MOST_HELD ? undefined : `${most} threads before it are held by native code`;
  }

  /** Resolves when they may get a new thread. */
  async until(names: readonly string[]): Promise<void> {
    while (this.refuses(names) !== undefined) await once(this.#events, "change");
  }

  #count(name: string, threads: Iterable<WatchedThread> = this.#held): number {
    return [...threads].filter((thread) => this.#givenUp.get(thread)?.includes(name)).length;
  }

  #check(): void {
    const names = [...new Set([...this.#held].flatMap((thread) => this.#givenUp.get(thread) ?? []))];
    const most = Math.max(0, ...names.map((name) => this.#count(name)));
    if (this.#ending === undefined && (most >= MOST_HELD || this.#held.size >= MOST_OF_ALL)) {
      const worst = names.filter((name) => this.#count(name) === most);
      this.#endNodeSoon(worst, most);
    } else if (this.#ending !== undefined && most < FEW_HELD && this.#held.size < MOST_OF_ALL / 2) {
      clearTimeout(this.#ending);
      this.#ending = undefined;
      this.log.warn("the threads that native code held have ended: Node stays");
    }
  }

  #endNodeSoon(names: readonly string[], count: number): void {
    const [first = null, another] = names;
    const module = another === undefined ? first : null;
    const when = this.patience_ms === 0 ? "" : ` in ${this.patience_ms / 1000} s, unless they end before`;
    const down = count < MOST_HELD ? "" : `${names.join(", ")} ${module === null ? "are" : "is"} down: `;
    const cause = `${CAUSES.held} ${this.#held.size} threads`;
    (module === null ? this.log : this.log.child({ module })).error(
      `${down}${cause} that were given up, such as in execSync, ${count} of ${names.join(", ")}: Node is ended and started anew${when}`,
    );
    this.#ending = setTimeout(() => this.endNode({ cause, module }), this.patience_ms).unref();
  }
}

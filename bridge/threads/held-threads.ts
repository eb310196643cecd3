// The threads that were given up and do not end, since native code such as execSync holds them. Nothing but the end of Node
// frees them: a module that has too many gets no more, and Node ends after a while, to be started anew.
import { EventEmitter, once } from "node:events";
import { CAUSES, type End } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";

/** A thread, as far as it is watched here. */
interface WatchedThread {
  readonly modules: readonly string[];
  readonly hasEnded: boolean;
  readonly heardAt: number;
  readonly ended: Promise<End>;
  readonly exited: Promise<void>;
}

// Of one module.
const MOST_HELD = 8;
// Each takes memory, whosever it is.
const MOST_OF_ALL = 32;
// With fewer left than that, Node stays.
const FEW_HELD = MOST_HELD / 2;
// What is not held has ended by then.
const ENDING_MS = 1_000;
// A thread whose event loop turns gives a sign of life more often.
const SILENT_MS = 1_000;

/** Those that have not ended yet. */
export const liveThreads = new Set<WatchedThread>();

/** Whether a thread would keep the process from exiting: Node waits for each, and native code ends when it ends. */
export function threadsBlockExit(): boolean {
  return [...liveThreads].some(
    ({ hasEnded, heardAt }) => hasEnded || performance.now() - heardAt > SILENT_MS,
  );
}

export class HeldThreads {
  /** How long to bear too many: whoever starts Node anew knows how often that was needed. */
  patience_ms = 0;
  /** Those that have not ended yet, with whose they are. */
  #givenUp = new Map<WatchedThread, readonly string[]>();
  #held = new Set<WatchedThread>();
  #events = new EventEmitter().setMaxListeners(0);
  #ending: NodeJS.Timeout | undefined;

  /** `endNode` ends the process at once. */
  constructor(
    private readonly log: Logger,
    private readonly endNode: (end: End) => void,
  ) {}

  /** A thread was given up. */
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

  /** Why these modules get no thread, if so. */
  refuses(names: readonly string[]): string | undefined {
    const most = Math.max(...names.map((name) => this.#count(name, this.#givenUp.keys())));
    return most < MOST_HELD ? undefined : `${most} threads before it are held by native code`;
  }

  /** Resolves once they may get one. */
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

/** Who the bridge has set aside, as the log tells: nobody but those who have ended or hung Node, and each but once. */
import type { LogLine } from "./log.js";
import type { Problems } from "./problems.js";
import type { Reloads } from "./reloads.js";

export interface SetAside {
  readonly user: string;
  readonly callback: string;
  readonly at: number;
  /** Earlier, once it is taken back: the module's thread has ended as soon while nobody was asked. */
  until: number;
}

// The new modules take over a little before the log says so.
const RELOAD_MS = 1000;
const pattern = /^(\S+) is not asked (\S+) about (.+?)(?: in (\S+))? for (\d+) min, since/;
const takenBack = /^(\S+) is asked (\S+) about (.+?)(?: in (\S+))? again$/;

export class AllSetAside {
  readonly all: SetAside[] = [];
  /** Modules that were put into a thread of their own. */
  isolated = 0;
  /** How often an author was set aside by mistake. */
  takenBack = 0;
  readonly #last = new Map<string, SetAside>();

  constructor(
    private readonly reloads: Reloads,
    /** Whether this user's content for this callback may end Node. */
    private readonly isKiller: (user: string, callback: string) => boolean,
    private readonly problems: Problems,
  ) {}

  readonly take = (_: string, parsed: LogLine | undefined): void => {
    if (!parsed?.logger.startsWith("synapse_module_bridge.")) return;
    const { at, text, line } = parsed;
    if (/ has ended Node \d+ times in an hour/.test(text)) this.isolated += 1;
    const [, ...released] = takenBack.exec(text) ?? [];
    const mistaken = this.#last.get(keyOf(released));
    if (mistaken !== undefined && at < mistaken.until) {
      mistaken.until = at;
      this.takenBack += 1;
    }
    const [, module, callback = "", user = "", room = "", minutes] = pattern.exec(text) ?? [];
    if (module === undefined) return;
    const until = at + Number(minutes) * 60_000;
    const one: SetAside = { user, callback, at, until };
    this.all.push(one);
    if (!this.isKiller(user, callback)) this.problems.add("set aside for what others did", line);
    const key = keyOf([module, callback, user, room]);
    const earlier = this.#last.get(key);
    if (earlier && at < earlier.until && !this.reloads.between(earlier.at, at)) {
      this.problems.add("set aside while set aside", line);
    }
    this.#last.set(key, one);
  };

  /** Of this user, for this callback, from this time until that one; a reload ends it. */
  holds(user: string, callback: string, time: number, to = time): boolean {
    return this.all.some(
      (one) =>
        one.user === user &&
        one.callback === callback &&
        one.at < time &&
        to < one.until &&
        !this.reloads.between(one.at, to + RELOAD_MS),
    );
  }
}

function keyOf([module = "", callback = "", user = "", room = ""]: readonly string[]): string {
  return `${module} ${callback} ${user} ${room}`;
}

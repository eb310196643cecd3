// Prints the demo's steps for a person: what a client sent and got, which module decided, and how long that took.
import type { Answer } from "../test/support/client.js";
import type { Homeserver } from "../test/support/homeserver.js";

const indent = " ".repeat(5);

interface Decision {
  readonly callback: string;
  readonly module: string;
  readonly outcome: string;
  readonly answer: string | undefined;
  readonly ms: number;
}

export class DemoReport {
  /** How many answers had another status than they should have. */
  unexpected = 0;
  #steps = 0;
  #offset = 0;
  readonly #decisions: Decision[] = [];

  constructor(readonly server: Homeserver) {
    this.#offset = server.log().length;
  }

  /** Lets a client do something, and prints what came of it. */
  async step(title: string, status: number, act: () => Promise<Answer>): Promise<Answer> {
    const started = performance.now();
    const answer = await act();
    const took = performance.now() - started;
    this.#steps += 1;
    console.log(`\n${String(this.#steps).padStart(3)}. ${title}`);
    console.log(`${indent}got      ${answer.status} ${shorten(answer.body)}  (${took.toFixed(0)} ms in all)`);
    if (answer.status !== status) {
      this.unexpected += 1;
      console.log(`${indent}         but it should have been ${status}: see ${this.server.logPath}`);
    }
    const decisions = this.#newDecisions();
    this.#decisions.push(...decisions);
    for (const line of describe(decisions)) console.log(`${indent}${line}`);
    return answer;
  }

  summary(): void {
    const times = this.#decisions.map(({ ms }) => ms).sort((a, b) => a - b);
    const decided = this.#decisions.filter(({ outcome }) => outcome !== "allowed").length;
    const median = times[Math.floor(times.length / 2)] ?? 0;
    console.log(
      `\n${this.#steps} steps; ${times.length} calls to the modules, of which ${decided} changed or refused something.\n` +
        `A call took ${median.toFixed(1)} ms (median), ${(times.at(-1) ?? 0).toFixed(1)} ms at most.`,
    );
  }

  /** From the bridge's decision lines in Synapse's log, since the last look. */
  #newDecisions(): Decision[] {
    const lines = this.server.log().slice(this.#offset);
    const end = lines.lastIndexOf("\n") + 1; // a line may be half written
    this.#offset += end;
    return [...lines.slice(0, end).matchAll(/ synapse_module_bridge\.decision .*?\b(callback=.*)$/gm)].map(
      ([, text = ""]) => {
        const field = (name: string) => new RegExp(`\\b${name}=(\\S+)`).exec(text)?.[1];
        return {
          callback: field("callback") ?? "?",
          module: field("module") ?? "-",
          outcome: field("outcome") ?? "?",
          answer: field("answer"),
          ms: Number(field("ms")),
        };
      },
    );
  }
}

const verbs: Readonly<Record<string, string>> = {
  refused: "refused it",
  replaced: "rewrote it",
  edited: "changed it",
  error: "refused it with an error",
  fault: "failed",
  policy: "could not be asked; policy answered",
};

/** One line for each call that decided something, and one for all that let it pass. */
function describe(decisions: readonly Decision[]): string[] {
  const passed = decisions.filter(({ outcome }) => outcome === "allowed");
  const lines = decisions
    .filter(({ outcome }) => outcome !== "allowed")
    .map(({ module, callback, outcome, answer, ms }) => {
      const verb = verbs[outcome] ?? outcome;
      return `module   ${module} ${verb}${answer ? ` (${answer})` : ""} in ${callback}, ${ms.toFixed(1)} ms`;
    });
  if (passed.length > 0) {
    const names = [...new Set(passed.map(({ callback }) => callback))].join(", ");
    const ms = passed.reduce((total, decision) => total + decision.ms, 0);
    const calls = passed.length === 1 ? "1 call" : `${passed.length} calls`;
    lines.push(`modules  no objection in ${names} (${calls}, ${ms.toFixed(1)} ms)`);
  }
  return lines.length > 0 ? lines : ["modules  not asked"];
}

/** The part of a body that says something, on one line. */
function shorten(body: Answer["body"]): string {
  if (body === null || typeof body !== "object") return String(body);
  if (body.errcode) {
    const { errcode, error, ...more } = body;
    const rest = Object.keys(more).length > 0 ? ` ${JSON.stringify(more)}` : "";
    return `${errcode}: ${error}${rest}`;
  }
  const { user_id, content } = body;
  const text = JSON.stringify(user_id && body.access_token ? { user_id } : content?.body ? content : body);
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}

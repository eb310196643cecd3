/** Messages that cost a careless server much, or mean something to it: what both servers must answer alike. */
import { isUnavailable, type Operation } from "./operations.js";

// An event may have 65,536 bytes.
const LENGTH = 60_000;
const filled = (unit: string) => unit.repeat(LENGTH / unit.length);
const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
const posing = JSON.stringify({ level: 60, module: "globs", msg: "posed", ends: { cause: "out of memory" } });

const contents: readonly (readonly [string, Record<string, unknown>])[] = [
  ["60 KB of buycheap", { body: filled("buycheap") }],
  ["a number as text", { body: "x", formatted_body: 5 }],
  ["nested 100 deep", { body: "x", nested: nested(100) }],
  ["60 KB of a", { body: filled("a") }],
  ["true as text", { body: "x", formatted_body: true }],
  ["a list as text", { body: "x", formatted_body: ["casino"] }],
  ["nested 800 deep", { body: "x", nested: nested(800) }],
  ["60 KB of cheapa", { body: filled("cheapa") }],
  ["null as text", { body: null, formatted_body: null }],
  ["refused by a glob", { body: "now buy cheap pills" }],
  ["a record of the log", { body: `${posing}\n${posing}` }],
  ["a long key with much below it", { body: "x", ["k".repeat(20_000)]: Array(2500).fill([]) }],
];
const refused = new Set(["a list as text", "refused by a glob"]);

/** The n-th of them, over and over. */
export function hostileText(n: number): Operation {
  const [kind, content] = contents[n % contents.length] as (typeof contents)[number];
  return {
    ...{ kind: `hostile text (${kind})`, role: "attacker", isAttack: true },
    callbacks: ["check_event_allowed", "check_event_for_spam"],
    run: async ({ client, room }) => [await client.send(room, { msgtype: "m.text", ...content })],
    // What makes a module throw passes where policy stands in for it.
    isPolicy: (answer) =>
      isUnavailable(answer) || (answer.status === 200 && (refused.has(kind) || kind.endsWith("as text"))),
  };
}

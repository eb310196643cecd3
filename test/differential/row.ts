/** Runs one row on both sides at once: script, trigger, what was seen, later effect; all of it normalised. */
import { waitFor } from "../homeserver/wait.js";
import { exactly, normalise } from "./normal.js";
import type { Script, Seen } from "./script.js";
import type { Side } from "./sides.js";
import type { Act, Trigger } from "./trigger.js";

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any;

export interface Outcome {
  /** What the client got at once. */
  readonly answers: Json;
  /** What is so afterwards. */
  readonly effect: Json;
  /** By callback, the calls in their order. */
  readonly calls: Json;
}

export type MakeScript = (side: Side, n: number) => Script;

export interface RowRun {
  readonly trigger: Trigger;
  /** One script for both, or one for each. */
  readonly scripts: { readonly bridge: MakeScript; readonly twin: MakeScript };
}

let count = 0;

export async function runRow(
  sides: { readonly bridge: Side; readonly twin: Side },
  { trigger, scripts }: RowRun,
): Promise<{ bridge: Outcome; twin: Outcome }> {
  count += 1;
  const n = count;
  const both = <T>(work: (side: Side, name: "bridge" | "twin") => Promise<T>) =>
    Promise.all([work(sides.bridge, "bridge"), work(sides.twin, "twin")]);
  const prepared = await both(async (side) => trigger.prepare?.(side, n));
  // What is still under way from the preparation must not count as this row's.
  if (trigger.prepare) await settled(sides, trigger);
  const [left, right] = await both((side, name) => {
    side.forget();
    side.write(scripts[name](side, n));
    return trigger.act(side, prepared[name === "bridge" ? 0 : 1], n);
  });
  await settled(sides, trigger);
  const calls = { bridge: callsOf(sides.bridge, trigger), twin: callsOf(sides.twin, trigger) };
  const finish = async (side: Side, act: Act, seen: Json): Promise<Outcome> => {
    side.write({});
    const effect = await act.effect?.();
    return {
      answers: act.answers.map((answer) => ({
        status: answer.status,
        body: normalise(exactly(answer.text), side.names),
      })),
      effect: effect === undefined ? undefined : normalise(effect, side.names),
      calls: seen,
    };
  };
  const [bridge, twin] = await both((side, name) =>
    finish(side, name === "bridge" ? left : right, calls[name]),
  );
  return { bridge, twin };
}

/** Notifications may come after the answer: waits until both sides have seen the same calls, but not for ever. */
async function settled(
  sides: { readonly bridge: Side; readonly twin: Side },
  trigger: Trigger,
): Promise<void> {
  let before = "";
  const done = () => {
    const bridge = JSON.stringify(countsOf(sides.bridge, trigger));
    const now = bridge === JSON.stringify(countsOf(sides.twin, trigger)) ? bridge : "";
    const same = now !== "" && now === before;
    before = now;
    return same ? true : undefined;
  };
  await waitFor("the same calls", done, 3000).catch(() => undefined);
}

function countsOf(side: Side, trigger: Trigger): Json {
  const counts: Record<string, number> = {};
  const seen = trigger.distinctCalls ? distinct(side) : side.seen();
  for (const { callback } of seen) counts[callback] = (counts[callback] ?? 0) + 1;
  return Object.entries(counts).sort();
}

function callsOf(side: Side, trigger: Trigger): Json {
  const calls: Record<string, Json[]> = {};
  for (const { callback, module, params } of trigger.distinctCalls ? distinct(side) : side.seen()) {
    calls[callback] ??= [];
    calls[callback].push({ module, params: normalise(params, side.names) });
  }
  return calls;
}

/** Synapse may ask more than once about an event of another server, and how often depends on timing. */
function distinct(side: Side): Seen[] {
  const byContent = new Map(side.seen().map((seen) => [JSON.stringify(normalise(seen, side.names)), seen]));
  return [...byContent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, seen]) => seen);
}

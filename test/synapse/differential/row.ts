// Runs one row on both sides at once: script, trigger, what was seen, later effect; all of it normalised.
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { everywhere, notifications } from "./catalogue.js";
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
  readonly callback: string;
  readonly trigger: Trigger;
  /** One script for both, or one for each. */
  readonly scripts: { readonly bridge: MakeScript; readonly twin: MakeScript };
}

let count = 0;

export async function runRow(
  sides: { readonly bridge: Side; readonly twin: Side },
  { callback, trigger, scripts }: RowRun,
): Promise<{ bridge: Outcome; twin: Outcome }> {
  const scope: Scope = { callback, alone: trigger.distinctCalls === true || everywhere.has(callback) };
  count += 1;
  const n = count;
  const both = <T>(work: (side: Side, name: "bridge" | "twin") => Promise<T>) =>
    Promise.all([work(sides.bridge, "bridge"), work(sides.twin, "twin")]);
  const prepared = await both(async (side) => trigger.prepare?.(side, n));
  // What is still under way from the preparation must not count as this row's.
  if (trigger.prepare) await settled(sides, scope);
  const [left, right] = await both((side, name) => {
    side.forget();
    side.write(scripts[name](side, n));
    return trigger.act(side, prepared[name === "bridge" ? 0 : 1], n);
  });
  const about = { bridge: left.about, twin: right.about };
  await settled(sides, scope, about);
  const calls = {
    bridge: callsOf(sides.bridge, scope, left.about),
    twin: callsOf(sides.twin, scope, right.about),
  };
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

/**
 * Which calls are compared: all, in their order, but for those that Synapse makes everywhere; or for what another server
 * sends, where it is a matter of timing how often Synapse asks and what else it is busy with, the distinct calls of one
 * callback.
 */
interface Scope {
  readonly callback: string;
  readonly alone: boolean;
}

/** Notifications may come after the answer: waits until both sides have seen the same calls, but not for ever. */
async function settled(
  sides: { readonly bridge: Side; readonly twin: Side },
  scope: Scope,
  about: { readonly bridge?: string | undefined; readonly twin?: string | undefined } = {},
): Promise<void> {
  let before = "";
  const done = () => {
    const bridge = countsOf(sides.bridge, scope, about.bridge);
    const now = bridge === countsOf(sides.twin, scope, about.twin) ? bridge : "";
    const same = now !== "" && now === before;
    before = now;
    return same;
  };
  await waitFor("the same calls", done, 3000).catch(() => undefined);
}

function countsOf(side: Side, scope: Scope, about: string | undefined): string {
  return scope.alone ? String(inScope(side, scope, about).length) : side.counts();
}

function callsOf(side: Side, scope: Scope, about: string | undefined): Json {
  const calls: Record<string, Json[]> = {};
  for (const { callback, module, params } of inScope(side, scope, about)) {
    const normal: Json = normalise(params, side.names);
    // Nobody waits for notifications: the first module may hear of the next event while the second hears of this one,
    // and only what concerns one room has an order.
    const where = normal.event?.room_id ?? "";
    const key = notifications.has(callback) ? `${callback} of ${module} ${where}` : callback;
    calls[key] ??= [];
    calls[key].push({ module, params: normal });
  }
  return calls;
}

function inScope(side: Side, { callback, alone }: Scope, about: string | undefined): Seen[] {
  if (!alone) return side.seen().filter((call) => !everywhere.has(call.callback));
  const seen = side
    .seen()
    .filter((call) => call.callback === callback && (!about || JSON.stringify(call.params).includes(about)));
  const byContent = new Map(seen.map((call) => [JSON.stringify(normalise(call, side.names)), call]));
  return [...byContent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, call]) => call);
}

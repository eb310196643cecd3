// The signature of a callback, from what Synapse tells of it in several places.
import type { Call, Form, OfferedCallback } from "./installed.js";

/** Synapse still takes functions with fewer parameters, of before it had more. */
export function longestForm({ forms }: OfferedCallback): Form | undefined {
  return [...forms].sort((one, other) => (other.params?.length ?? 0) - (one.params?.length ?? 0))[0];
}

/** What the arguments are called in a call: those by their places, then those by their names. */
export const argumentsOf = ({ in_order, by_name }: Call) => [...in_order, ...by_name];

export function longestCall({ calls }: OfferedCallback): Call | undefined {
  return [...calls].sort((one, other) => argumentsOf(other).length - argumentsOf(one).length)[0];
}

/** The parameters of Synapse in order, as far as it tells their names and types. */
export function paramsOf(offered: OfferedCallback): { name: string | undefined; hint: string | undefined }[] {
  const call = longestCall(offered);
  const names = call === undefined ? [] : argumentsOf(call);
  const hints = longestForm(offered)?.params ?? [];
  return Array.from({ length: Math.max(names.length, hints.length) }, (_, index) => ({
    name: names[index] ?? undefined,
    hint: hints[index],
  }));
}

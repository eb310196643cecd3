// Limits the time of one part of a call.
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { LONGEST_TIMER_MS } from "../base/duration.js";
import { CallError } from "../transport/call-error.js";
import { Cancellation } from "../transport/cancellation.js";

/** Runs `work`, which must end at once when it is cancelled. After `ms` it is cancelled, and the error of `late` is thrown. */
export async function withTimeLimit<T>(
  cancellation: Cancellation,
  ms: number | undefined,
  late: () => CallError,
  work: (cancellation: Cancellation) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return work(cancellation);
  const source = new CancellationTokenSource();
  const passingOn = cancellation.onRequested(() => source.cancel());
  let isLate = false;
  const timer = setTimeout(
    () => {
      isLate = true;
      source.cancel();
    },
    Math.min(ms, LONGEST_TIMER_MS),
  );
  try {
    return await work(new Cancellation(source.token));
  } catch (error) {
    throw isLate && error instanceof CallError && error.kind === "cancelled" ? late() : error;
  } finally {
    clearTimeout(timer);
    passingOn.dispose();
    source.dispose();
  }
}

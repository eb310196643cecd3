// Runs a module's `close` before the module goes, within its time.
import { real } from "../base/real-time.js";
import { describeThrown } from "../base/thrown.js";
import { LIMITS } from "../catalogue/protocol.js";
import { runAsModule } from "../logging/current-module.js";
import type { RunningModule } from "./context.js";

/** Resolves when `close` has ended or its time is up. It does not run if `setup` has not succeeded. Never rejects. */
export async function closeModule({ module, setup, log }: RunningModule): Promise<void> {
  const { close, name } = module;
  if (!close || !setup.done) return;
  const { data } = setup;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = real.setTimeout(() => {
      log.warn(`${name}: close has not ended within ${LIMITS.close_ms / 1000} s`);
      resolve();
    }, LIMITS.close_ms);
  });
  try {
    const closed = Promise.resolve(runAsModule(name, null, () => close({ data, log: setup.log })));
    await Promise.race([closed, late]);
  } catch (error) {
    log.error({ err: error }, `${name}: close failed: ${describeThrown(error)}`);
  } finally {
    real.clearTimeout(timer);
  }
}

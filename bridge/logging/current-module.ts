// Who runs: the module whose code is on the stack, and for which request. It costs a call next to nothing, and so it knows
// only of what a handler does before its first await.

export interface CurrentModule {
  module: string;
  request: string | null;
}

let current: CurrentModule | undefined;

export function currentModule(): CurrentModule | undefined {
  return current;
}

/** Runs a function of a module's. */
export function runAsModule<T>(module: string, request: string | null, run: () => T): T {
  const before = current;
  current = { module, request };
  try {
    return run();
  } finally {
    current = before;
  }
}

// Remembers which module's code runs now, and for which request. This costs next to nothing per call, but it covers only
// what a handler does before its first await.

export interface CurrentModule {
  module: string;
  request: string | null;
}

let current: CurrentModule | undefined;

export function currentModule(): CurrentModule | undefined {
  return current;
}

/** Runs a function of a module, which is the current module until the function returns. */
export function runAsModule<T>(module: string, request: string | null, run: () => T): T {
  const before = current;
  current = { module, request };
  try {
    return run();
  } finally {
    current = before;
  }
}

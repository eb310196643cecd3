// Lets the host live where Node has no WebAssembly, as with --jitless. There Node's own `fetch` throws where nobody can catch it,
// which would end the process.

export function refuseFetchWithoutWebAssembly(): void {
  if ("WebAssembly" in globalThis) return;
  globalThis.fetch = () =>
    Promise.reject(
      new TypeError("fetch needs WebAssembly, which Node lacks with --jitless: use node:http or node:https"),
    );
}

/** Whether this is what Node rejects with by itself as `Response` and the like are first used. They work all the same. */
export function isLackOfWebAssembly(error: unknown): boolean {
  return (
    !("WebAssembly" in globalThis) &&
    error instanceof ReferenceError &&
    error.message === "WebAssembly is not defined" &&
    (error.stack ?? "").includes("(node:internal/deps/undici/")
  );
}

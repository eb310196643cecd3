// Makes `fetch` fail where Node has no WebAssembly, as with --jitless. Node's own throws there where nobody can catch it, which
// would end the process.

export function refuseFetchWithoutWebAssembly(): void {
  if ("WebAssembly" in globalThis) return;
  globalThis.fetch = () =>
    Promise.reject(
      new TypeError("fetch needs WebAssembly, which Node lacks with --jitless: use node:http or node:https"),
    );
}

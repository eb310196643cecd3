import { defineConfig } from "vitest/config";

export default defineConfig({
  // A Synapse starts in some seconds; on a busy machine it takes longer.
  test: { hookTimeout: 60_000, testTimeout: 30_000 },
});

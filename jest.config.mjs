// Runs the TypeScript tests as ES modules; needs NODE_OPTIONS=--experimental-vm-modules.
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/\\.venv/", "<rootDir>/python-shim/"],
  extensionsToTreatAsEsm: [".ts", ".mts"],
  moduleNameMapper: {
    "^synapse-module-bridge$": "<rootDir>/bridge/index.ts",
    "^synapse-module-bridge/testing$": "<rootDir>/bridge/testing/index.ts",
    "^synapse-module-bridge/testing/synapse$": "<rootDir>/bridge/testing/synapse/index.ts",
    "^(\\.{1,2}/.*)\\.js$": "$1",
  },
  transform: {
    "^.+\\.m?ts$": [
      "@swc/jest",
      {
        jsc: { target: "es2023", parser: { syntax: "typescript", decorators: true } },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  testSequencer: "<rootDir>/scripts/slowest-first.mjs",
  // Of those tests of a file that may run at once: most of them wait, each for a Synapse of its own.
  maxConcurrency: 2,
  // Long enough for two busy cores; a test that waits for a process sets its own, shorter bound.
  testTimeout: 30_000,
};

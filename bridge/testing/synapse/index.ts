// `synapse-module-bridge/testing/synapse`: a real Synapse for tests of modules.
export { MatrixError, type RequestOptions } from "./connection.js";
export type { Decision, DecisionFilter, DecisionOutcome } from "./decisions.js";
export { type Prepared, prepareSynapse } from "./prepared.js";
export type { LogRecord } from "./records.js";
export { NEWEST_TESTED } from "./releases.js";
export type { Server, UserOptions } from "./server.js";
export { type SynapseOptions, startSynapse, type TestedModule, type TestSynapse } from "./start.js";
export { SynapseStartError } from "./synapse-process.js";
export type { ClientEvent, Json, User } from "./user.js";
export { waitFor } from "./wait.js";

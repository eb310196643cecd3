// The interface through which adapters call the shim.
import type { HostRequests } from "../catalogue/protocol.js";

/** The requests of a transaction, by their last part: begin, execute, commit, roll_back. */
export type TransactionSteps = {
  [Method in keyof HostRequests as Method extends `api/run_db_interaction/${infer Step}`
    ? Step
    : never]: HostRequests[Method];
};

/** Calls the shim for one module. `call` checks grants and parameters first; `step` is one step of a transaction. */
export interface ApiClient {
  readonly module: string;
  /** The topics of the module's `broadcasts`. */
  readonly topics: readonly string[];
  /** Checks parameters. Throws a TypeError that names the method. */
  check(path: string, params: Record<string, unknown>): void;
  call(path: string, params: Record<string, unknown>): Promise<unknown>;
  step<Step extends keyof TransactionSteps>(
    step: Step,
    params: TransactionSteps[Step]["params"]["params"],
  ): Promise<TransactionSteps[Step]["result"]>;
}

/** What a module calls instead of a method whose shape on the wire is another. */
export type MethodAdapter = (
  client: ApiClient,
  path: string,
  params: Record<string, unknown>,
) => Promise<unknown>;

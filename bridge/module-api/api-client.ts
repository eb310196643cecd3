// What the methods of the api ask the shim with.
import type { HostRequests } from "../catalogue/protocol.js";

/** The steps of a transaction. */
export type TransactionSteps = {
  [Method in keyof HostRequests as Method extends `api/run_db_interaction/${infer Step}`
    ? Step
    : never]: HostRequests[Method];
};

/** Asks the shim for a module: `call` checks grants and parameters first, `step` is for transactions. */
export interface ApiClient {
  readonly module: string;
  /** Throws a TypeError that names the method. */
  check(path: string, params: Record<string, unknown>): void;
  call(path: string, params: Record<string, unknown>): Promise<unknown>;
  step<Step extends keyof TransactionSteps>(
    step: Step,
    params: TransactionSteps[Step]["params"]["params"],
  ): Promise<TransactionSteps[Step]["result"]>;
}

/** What a module calls in the place of a method that travels otherwise. */
export type MethodAdapter = (
  client: ApiClient,
  path: string,
  params: Record<string, unknown>,
) => Promise<unknown>;

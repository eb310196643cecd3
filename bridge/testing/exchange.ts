// Sends requests of a test to a host, with a deadline, and finds what the module itself has thrown.
import { ResponseError } from "vscode-jsonrpc/node";
import { formatDuration, parseDuration } from "../base/duration.js";
import { kindOf } from "../calls/wire-errors.js";
import { LIMITS } from "../catalogue/protocol.js";
import { isSynapseError, SynapseError } from "../sdk/errors.js";
import type { JsonObject } from "../sdk/json.js";
import type { FakeSynapse, Lent } from "./fake-synapse.js";
import { HostHere, type HostLink, MissedDeadline } from "./host-link.js";
import type { TesterOptions } from "./options.js";

export class Exchange {
  #calls = 0;

  /** With `remedy`, for calls by hand, there is no deadline, and errors have the host's own words. */
  constructor(
    private readonly synapse: FakeSynapse,
    private readonly timeout: TesterOptions["timeout"] = {},
    private readonly remedy?: (path: string) => string,
  ) {}

  /** One request to a host, with what it lends to the module meanwhile. */
  async send(
    link: HostLink,
    method: string,
    what: string,
    modules: readonly string[],
    local: boolean,
    lent: Lent,
    params: (call: number) => object,
  ): Promise<unknown> {
    const call = ++this.#calls;
    // The id of Synapse's own request, by which what a module threw is found again.
    const request = `test-${call}`;
    const deadline = this.#deadline(local);
    this.synapse.lent.set(call, lent);
    try {
      return await link.request(method, { ...params(call), request }, deadline);
    } catch (error) {
      throw await this.#ownError(link, error, request, `${modules.join(", ")}: ${what}`, deadline);
    } finally {
      this.synapse.lent.delete(call);
    }
  }

  /** The error for the test: what the module has thrown, where it is that. */
  async #ownError(
    link: HostLink,
    error: unknown,
    request: string,
    what: string,
    deadline: number | undefined,
  ): Promise<unknown> {
    if (
      error instanceof MissedDeadline ||
      (error instanceof ResponseError && kindOf(error.code) === "cancelled")
    )
      return Object.assign(new Error(`${what}: no answer within ${formatDuration(deadline ?? 0)}`), {
        name: "MissedDeadline",
      });
    if (!(error instanceof ResponseError)) return error;
    const { message, data = {} } = error as ResponseError<Record<string, unknown>>;
    const kind = kindOf(error.code);
    const plain = new Error(message);
    if (kind === "synapse_error") {
      const { code, msg, errcode, additional_fields } = data ?? {};
      const thrown = link instanceof HostHere ? await link.thrownIn(request, undefined) : undefined;
      if (this.remedy) return plain;
      if (isSynapseError(thrown)) return thrown;
      return new SynapseError(
        code as number,
        msg as string,
        errcode as string,
        additional_fields as JsonObject,
      );
    }
    const { module } = (data ?? {}) as { module?: string };
    if (this.remedy) return plain;
    if (kind === "module_fault" && data?.kind === "threw")
      return (await link.thrownIn(request, module)) ?? plain;
    if (kind === "module_unavailable") return (await link.thrownIn(null, module)) ?? plain;
    return plain;
  }

  #deadline(local: boolean): number | undefined {
    if (this.remedy) return undefined;
    const { timeout } = this;
    const own = typeof timeout === "object" ? timeout : { local: timeout, federated: timeout };
    return parseDuration(
      local ? (own.local ?? LIMITS.local_timeout_ms) : (own.federated ?? LIMITS.federated_timeout_ms),
    );
  }
}

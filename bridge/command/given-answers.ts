// Answers methods of the api during a replay from the file of `--api`, by the authors' kit.
import { ResponseError } from "vscode-jsonrpc/node";
import { kindOf } from "../calls/wire-errors.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { ApiRequest } from "../catalogue/protocol.js";
import { WireError } from "../module-api/api-errors.js";
import type { GivenAnswers } from "../recording/recorded-answers.js";
import { Clock } from "../testing/clock.js";
import { FakeStore } from "../testing/fake-store.js";
import { FakeSynapse } from "../testing/fake-synapse.js";
import { World } from "../testing/world.js";
import { forKit, readAnswers } from "./api-file.js";

/** Throws an Error that names the file. */
export function givenAnswers(file: string, server_name: string, catalogue: Catalogue): GivenAnswers {
  const answers = readAnswers(file, catalogue);
  for (const name of Object.keys(answers)) {
    const method = catalogue.methods.get(name);
    if (!method || method.access === "sync" || name.startsWith("store."))
      throw new Error(`${file}: a replay has ${name} without a file: leave it out`);
  }
  const clock = new Clock(undefined);
  const world = new World(server_name, clock, catalogue);
  const synapse = new FakeSynapse(world, new FakeStore(clock), forKit(answers, catalogue));
  return {
    has: (method) => Object.hasOwn(answers, method),
    request: async (path, request: ApiRequest) => {
      try {
        return await synapse.serve(`api/${path}`, request);
      } catch (error) {
        if (!(error instanceof ResponseError)) throw error;
        throw new WireError(kindOf(error.code), error.message, (error.data ?? {}) as Record<string, unknown>);
      }
    },
  };
}

// Calls the ModuleApi as the body of a web request says, and answers with what came back.
import { defineModule, isSynapseError, type JsonValue } from "synapse-module-bridge";

// biome-ignore lint/suspicious/noExplicitAny: the method is named by the test
type Any = any;

export default defineModule({
  configSchema: {
    type: "object",
    properties: { path: { type: "string" } },
    required: ["path"],
    additionalProperties: false,
  },
  web_resources: ({ path }) => ({
    [path]: async (request, { api }) => {
      const { method, params } = (await request.clone().json()) as { method: string; params?: object };
      let [owner, target]: [unknown, Any] = [undefined, api];
      for (const key of method.split(".")) [owner, target] = [target, target[key]];
      try {
        const result = typeof target === "function" ? target.call(owner, params) : target;
        const awaited = result instanceof Promise;
        return { result: ((await result) ?? null) as JsonValue, awaited };
      } catch (error) {
        const known = isSynapseError(error);
        return { error: String(error), ...(known && { code: error.code, errcode: error.errcode }) };
      }
    },
  }),
});

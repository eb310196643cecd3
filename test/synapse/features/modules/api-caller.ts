// Calls the ModuleApi as the body of a web request says, and answers with what came back.
import {
  defineModule,
  isApiError,
  isHttpResponseException,
  isSynapseError,
  type JsonValue,
} from "synapse-module-bridge";

// biome-ignore lint/suspicious/noExplicitAny: the method is named by the test
type Any = any;

const bytes = (value: Uint8Array) => ({ bytes: Buffer.from(value).toString("base64") });

/** What is no JSON, in the words of the test. */
function readable(result: Any): JsonValue {
  if (result instanceof Uint8Array) return bytes(result);
  if (result?.body instanceof Uint8Array) return { ...result, body: bytes(result.body) };
  return result ?? null;
}

function describe(error: unknown): JsonValue {
  const message = String(error);
  if (isSynapseError(error)) return { error: message, code: error.code, errcode: error.errcode };
  if (isHttpResponseException(error))
    return { error: message, code: error.code, msg: error.msg, response: bytes(error.response) };
  if (isApiError(error)) return { error: message, kind: error.kind, exception: error.exception };
  return { error: message };
}

export default defineModule({
  configSchema: {
    type: "object",
    properties: { path: { type: "string" } },
    required: ["path"],
    additionalProperties: false,
  },
  broadcasts: { told: () => undefined },
  web_resources: ({ path }) => ({
    [path]: async (request, { api }) => {
      const body = (await request.clone().json()) as { method: string; params?: Any; render?: Any };
      const params = Object.fromEntries(
        Object.entries(body.params ?? {}).map(([name, value]: [string, Any]) => {
          if (value === "the request") return [name, request];
          if (value === "an increment") return [name, (count = 0) => count + 1];
          return [name, value?.bytes === undefined ? value : Buffer.from(value.bytes, "base64")];
        }),
      );
      let [owner, target]: [unknown, Any] = [undefined, api];
      for (const key of body.method.split(".")) [owner, target] = [target, target[key]];
      try {
        const result = typeof target === "function" ? target.call(owner, params) : target;
        const awaited = result instanceof Promise;
        let done = await result;
        if (body.render) done = await Promise.all(done.map((one: Any) => one.render(body.render)));
        return { result: readable(done), awaited };
      } catch (error) {
        return describe(error);
      }
    },
  }),
});

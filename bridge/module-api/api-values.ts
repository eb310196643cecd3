// Converts values of the api that are not JSON: requests, bytes and templates.
import type { TemplateRender } from "../catalogue/protocol.js";
import type { JsonObject } from "../sdk/json.js";
import type { Template } from "../sdk/objects.js";

export interface ValueSource {
  /** Returns the handle of the call that a web request belongs to. */
  handleOf(request: unknown): number | undefined;
  /** Lets Synapse render one template. */
  render(params: TemplateRender): Promise<string>;
}

type Params = Record<string, unknown>;

/** Converts a parameter of this type to JSON. Throws a TypeError that names the parameter. */
export function toWire(type: string, value: unknown, what: string, source: ValueSource): unknown {
  if (value === null || value === undefined) return value;
  if (type === "WebRequest") {
    const handle = source.handleOf(value);
    if (handle === undefined) throw new TypeError(`${what} must be the Request that a web handler was given`);
    return handle;
  }
  if (type === "Bytes") {
    if (!ArrayBuffer.isView(value)) throw new TypeError(`${what} must be a Uint8Array`);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  return value;
}

/** Converts a result of this type to what the module gets. */
export function fromWire(type: string, value: unknown, params: Params, source: ValueSource): unknown {
  if (value === null) return type === "Nothing" ? undefined : null;
  switch (type) {
    case "Nothing":
      return undefined;
    case "Bytes":
      return bytesOf(value as string);
    case "HttpResponse": {
      const response = value as { body: string };
      return { ...response, body: bytesOf(response.body) };
    }
    case "Templates":
      return (value as string[]).map((filename) => template(filename, params, source));
    default:
      return value;
  }
}

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function template(filename: string, params: Params, source: ValueSource): Template {
  const { custom_template_directory } = params as Pick<TemplateRender, "custom_template_directory">;
  return Object.freeze({
    filename,
    render: (variables: JsonObject) =>
      source.render({
        filename,
        variables,
        ...(custom_template_directory !== undefined && { custom_template_directory }),
      }),
  });
}

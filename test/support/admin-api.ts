// The admin API as tests ask it: raw, so that two answers can be compared byte by byte; and checked by admin.json.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { Ajv } from "ajv";
import type { AdminEndpoints } from "../../bridge/catalogue/admin-api.js";
import type { Answer, Client } from "./client.js";

const schema = JSON.parse(readFileSync(new URL("../../schemas/admin.json", import.meta.url), "utf8"));
export const adminPath: string = schema.path;
const ajv = new Ajv({ strict: false, allErrors: true }).addSchema(schema);

/** What does not fit a definition of admin.json. */
export function faults(definition: string, body: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `admin.json#/definitions/${definition}` });
  validate(body);
  return validate.errors ?? [];
}

type Answered<Request extends keyof AdminEndpoints> = AdminEndpoints[Request]["answer"];

/** Asks, again where that was too often, and throws where the answer is no success that fits its definition. */
export async function ask<Request extends keyof AdminEndpoints>(
  admin: Client,
  what: Request,
  { name = "", query = "", json }: { name?: string; query?: string; json?: unknown } = {},
): Promise<Answered<Request>> {
  const [method = "", path = ""] = what.split(" ");
  const place = path.replace(/<\w+>/, encodeURIComponent(name));
  const send = () => admin.request(method, `${adminPath}/${place}${query}`, { json });
  let { status, body } = await send();
  while (status === 429) {
    await pause(body.retry_after_ms);
    ({ status, body } = await send());
  }
  const declared = Object.values<{ method: string; path: string; answer: string }>(schema.endpoints);
  const definition = declared.find((one) => `${one.method} ${one.path}` === what)?.answer ?? "";
  const wrong = status === 200 ? faults(definition, body) : [body];
  if (wrong.length > 0) throw new Error(`${what}: ${status} ${JSON.stringify(wrong)}`);
  return body;
}

/** The same without a check. */
export const asked = (admin: Client, method: string, path: string, options = {}): Promise<Answer> =>
  admin.request(method, `${adminPath}/${path}`, options);

/** A response as it came, without the headers that differ from one moment to the next. */
export function raw(
  baseUrl: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(baseUrl);
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { rawHeaders, statusCode, statusMessage, httpVersion } = response;
        const pairs = rawHeaders.flatMap((name, index) =>
          index % 2 === 0 && name !== "Date" ? [`${name}: ${rawHeaders[index + 1]}`] : [],
        );
        const text = Buffer.concat(chunks).toString("latin1");
        resolve([`HTTP/${httpVersion} ${statusCode} ${statusMessage}`, ...pairs, "", text].join("\r\n"));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

// Asks Synapse over HTTP, by its admin API or its client API, for what the ModuleApi does not have.
import { readFile } from "node:fs/promises";
import { type JsonObject, SynapseError } from "synapse-module-bridge";

export interface SynapseAccess {
  /** Where the main process listens with the resource `client`, such as http://127.0.0.1:8008: not the reverse proxy. */
  readonly address: string;
  /** The file with a server admin's access token. It is read each time, so that the admin can replace it. */
  readonly token_file: string;
}

export interface SynapseQuestion {
  readonly method?: string;
  /** Encode ids in it; and see first that they are ids, since `..` would lead elsewhere. */
  readonly path: string;
  readonly body?: object;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 4_000;

/** Throws a SynapseError that a client may see: Synapse's own, or a 5xx if the fault is not the client's. */
export async function askSynapse(access: SynapseAccess, question: SynapseQuestion): Promise<JsonObject> {
  const { method = "GET", path, body, signal } = question;
  const token = await readToken(access.token_file);
  const response = await fetch(new URL(path, access.address), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
    redirect: "error", // the token is for no other address
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((error) => {
    throw new SynapseError(502, `Synapse cannot be asked at ${access.address}: ${causeOf(error)}`);
  });
  const answer = await response.json().catch(() => undefined);
  if (!isObject(answer))
    throw new SynapseError(502, `${access.address} answers ${response.status}, and not as Synapse does`);
  if (response.ok) return answer;
  // As they are, these would tell the client that its own token is bad.
  if (response.status === 401 || response.status === 403)
    throw new SynapseError(
      502,
      `The token in ${access.token_file} is not a server admin's: ${answer.errcode}`,
    );
  throw new SynapseError(response.status, String(answer.error), String(answer.errcode ?? "M_UNKNOWN"));
}

async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, "utf8")).trim();
  // fetch would throw an error with the whole header in it, which the log would show.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SynapseError(500, `${path} does not contain a single token`);
  return token;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function causeOf(error: { readonly name?: string; readonly cause?: { readonly code?: string } }): string {
  return error.cause?.code ?? error.name ?? "no answer";
}

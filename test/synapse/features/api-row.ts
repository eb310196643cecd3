// One call of the ModuleApi by a module on a real Synapse: its arguments, what the module gets, what is so afterwards.
import { expect } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Answer, type Body, Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import type { MailServer } from "../../support/mail-server.js";
import type { Peer } from "./peer.js";

export interface World {
  /** The only process of Synapse, or the main one. */
  readonly server: Pick<Homeserver, "baseUrl" | "sharedSecret" | "dir">;
  /** The process whose module is asked, and what `api` says of it. */
  readonly asked: {
    readonly baseUrl: string;
    readonly worker_name: string | null;
    readonly worker_app: string | null;
    readonly background: boolean;
  };
  /** In the names of this world's users and rooms. */
  readonly tag: string;
  /** The rows of a query of Synapse's database. */
  query(sql: string): Promise<unknown[][]>;
  readonly mail: MailServer;
  readonly peer: Peer;
  readonly alice: Client;
  readonly admin: Client;
  /** A public room of alice's, in the directory as #lobby and the tag. */
  readonly room: string;
  /** What must not be in any log. */
  readonly secrets: string[];
}

type Params = Readonly<Record<string, unknown>>;

export interface Row {
  /** What is special about it, where a method has several. */
  readonly title?: string;
  readonly params?: Params | ((world: World) => Params | Promise<Params>);
  /** Whether the request is alice's, and not nobody's. */
  readonly asAlice?: boolean;
  /** Variables, for templates that came back. */
  readonly render?: Params;
  /** What the module gets, at least these fields; or what it is held against. */
  readonly result?: ((result: Body, world: World) => void | Promise<void>) | unknown;
  /** Whether to ask again: a process may hear late of what another has done. */
  readonly tooEarly?: (result: Body) => boolean;
  /** What the module catches. */
  readonly error?: Params;
  /** What the client sees in place of the module's answer. */
  readonly page?: string;
}

export type Rows = Readonly<Record<string, readonly Row[]>>;

/** The answer of a module of test/synapse/features/modules/api-caller.ts. */
export async function callAs(
  { asked, alice }: World,
  by: string,
  method: string,
  { params = {}, render, asAlice }: Pick<Row, "render" | "asAlice"> & { readonly params?: Params } = {},
): Promise<Answer> {
  const client = new Client(asked.baseUrl, ...(asAlice ? [alice.userId, alice.accessToken] : []));
  return client.post(`/_synapse/client/${by}`, { method, params, render });
}

export async function runRow(world: World, method: string, row: Row, by: string): Promise<void> {
  const params = typeof row.params === "function" ? await row.params(world) : row.params;
  const { body: answer, text } = await waitFor(`${method} to answer`, async () => {
    const answer = await callAs(world, by, method, { ...row, params: params ?? {} });
    return row.tooEarly?.(answer.body.result) ? undefined : answer;
  });
  if (row.page) {
    expect(text).toContain(row.page);
    expect(text).not.toContain("awaited");
    return;
  }
  if (row.error) {
    expect(answer).toMatchObject(row.error);
    return;
  }
  expect(answer.error).toBeUndefined();
  if (typeof row.result === "function") await row.result(answer.result, world);
  else if (typeof row.result === "object" && row.result !== null)
    expect(answer.result).toMatchObject(row.result);
  else expect(answer.result).toEqual(row.result ?? null);
}

let count = 0;

/** A user of a row's own. */
export function newUser({ server, tag }: World, name = "user"): Promise<Client> {
  count += 1;
  return registerUser(server, `${name}${tag}${count}`);
}

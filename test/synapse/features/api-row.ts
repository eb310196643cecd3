// One call of the ModuleApi by a module on a real Synapse: its arguments, what the module gets, what is so afterwards.
import { expect } from "@jest/globals";
import { type Answer, type Body, Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import type { MailServer } from "../../support/mail-server.js";
import type { Peer } from "./peer.js";

export interface World {
  readonly server: Homeserver;
  readonly mail: MailServer;
  readonly peer: Peer;
  readonly alice: Client;
  readonly admin: Client;
  /** A public room of alice's, in the directory as #lobby. */
  readonly room: string;
  /** What must not be in any log. */
  readonly secrets: string[];
}

type Params = Readonly<Record<string, unknown>>;

export interface Row {
  /** What is special about it, where a method has several. */
  readonly title?: string;
  readonly params?: Params | ((world: World) => Params | Promise<Params>);
  /** Variables, for templates that came back. */
  readonly render?: Params;
  /** What the module gets, at least these fields; or what it is held against. */
  readonly result?: ((result: Body, world: World) => void | Promise<void>) | unknown;
  /** What the module catches. */
  readonly error?: Params;
  /** What the client sees in place of the module's answer. */
  readonly page?: string;
}

export type Rows = Readonly<Record<string, readonly Row[]>>;

/** The answer of a module of test/synapse/features/modules/api-caller.ts. */
export async function callAs(
  { server }: World,
  by: string,
  method: string,
  params: Params = {},
  render?: Params,
): Promise<Answer> {
  return new Client(server.baseUrl).post(`/_synapse/client/${by}`, { method, params, render });
}

export async function runRow(world: World, method: string, row: Row, by: string): Promise<void> {
  const params = typeof row.params === "function" ? await row.params(world) : row.params;
  const { body: answer, text } = await callAs(world, by, method, params, row.render);
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
export function newUser({ server }: World, name = "user"): Promise<Client> {
  count += 1;
  return registerUser(server, `${name}${count}`);
}

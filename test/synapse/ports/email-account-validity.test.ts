// The port of synapse-email-account-validity against the original: who is let in, the mails, the links and the pages.
import { copyFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Body, Client, password, registerUser, signedIn } from "../../support/client.js";
import { startHomeserver } from "../../support/homeserver.js";
import { type MailServer, startMailServer } from "../../support/mail-server.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { shown } from "../differential/normal.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

const path = "/_synapse/client/email_account_validity";
const legacy = "/_matrix/client/unstable/account_validity";
const future = 4_000_000_000_000;

const folder = temporaryFolder();
let pair: Pair;
let mailServers: Record<"original" | "port", MailServer>;
const admins = new Map<Side, Client>();

beforeAll(async () => {
  await letVeteranRegister();
  mailServers = { original: await startMailServer(), port: await startMailServer() };
  const config = { period: "6w", renew_at: "1w" };
  pair = await startPair({
    original: [{ module: "email_account_validity_today.EmailAccountValidity", config }],
    port: { path: "email-account-validity.ts", config, grants: ["run_db_interaction", "send_mail"] },
    options: (side) => ({
      extraConfig: {
        database: database(side),
        email: {
          ...{ smtp_host: "127.0.0.1", smtp_port: mailServers[side].port, enable_tls: false },
          ...{ app_name: "Tests", notif_from: "%(app)s <noreply@example.org>" },
        },
      },
    }),
  });
  for (const side of [pair.original, pair.port]) {
    admins.set(side, await side.user("admin", { admin: true }));
  }
}, START_LIMIT_MS);

afterAll(async () => {
  await pair?.stop();
  await mailServers?.original.close();
  await mailServers?.port.close();
  folder.remove();
});

function database(name: string) {
  return { name: "sqlite3", args: { database: folder.path(`${name}.db`) } };
}

/** Gives both servers a database in which somebody has an account from before there was the module. */
async function letVeteranRegister(): Promise<void> {
  const server = await startHomeserver({ extraConfig: { database: database("before") } });
  await registerUser(server, "veteran");
  await server.stop();
  const file = (name: string) => folder.path(`${name}.db`);
  for (const side of ["original", "port"]) copyFileSync(file("before"), file(side));
}

const admin = (side: Side) => admins.get(side) as Client;
const mailsOf = (side: Side) => (side === pair.original ? mailServers.original : mailServers.port).mails;

async function withAddress(side: Side, name: string, displayname?: string): Promise<Client> {
  const user = await side.user(name, displayname === undefined ? {} : { displayname });
  const threepids = [
    { medium: "email", address: `${name}@example.org` },
    { medium: "msisdn", address: "447700900000" },
  ];
  await admin(side).admin("PUT", `v2/users/${user.userId}`, { threepids });
  return user;
}

const setExpiration = (side: Side, user: Client, expiration_ts: number, more: object = {}) =>
  admin(side).post(`${path}/admin`, { user_id: user.userId, expiration_ts, ...more });

/** Waits until a user is let in, or is not: the port keeps its answers for a few seconds. */
const letIn = (user: Client, status: number) =>
  waitFor(`whoami to be ${status}`, async () => {
    const answer = await user.whoami();
    return answer.status === status ? shown(answer) : undefined;
  });

interface Mail {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly parts: readonly string[];
  /** The link in it, as a path. */
  readonly link: string;
}

/** The next mail to somebody, as it reads. */
async function mailTo(side: Side, address: string): Promise<Mail> {
  const raw = await waitFor(`a mail to ${address}`, () =>
    mailsOf(side).find((mail) => mail.includes(`To: ${address}`)),
  );
  mailsOf(side).splice(mailsOf(side).indexOf(raw), 1);
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, "mi").exec(raw)?.[1];
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? "";
  const parts = raw.split(`--${boundary}`).slice(1, -1).map(decoded);
  const token = /token=([\w-]+)/.exec(parts[0] ?? "")?.[1] ?? "none";
  side.names.set(token, "<token>");
  const headers = { subject: header("Subject"), from: header("From"), to: header("To") };
  return { headers, parts, link: `${path}/renew?token=${token}` };
}

function decoded(part: string): string {
  const [head = "", ...body] = part.split("\r\n\r\n");
  const text = body.join("\r\n\r\n");
  if (/base64/i.test(head)) return Buffer.from(text, "base64").toString();
  return text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

describe("an account", () => {
  test("that is new is valid, and one that has expired is refused, until an admin changes that", async () => {
    const outcome = await pair.alike(async (side) => {
      const alice = await side.user("alice");
      const before = await letIn(alice, 200);
      const expired = shown(await setExpiration(side, alice, 1));
      const refused = await letIn(alice, 403);
      const renewed = shown(await setExpiration(side, alice, future));
      return [before.status, expired, refused, renewed, (await letIn(alice, 200)).status];
    });
    expect(outcome).toMatchObject([
      200,
      { status: 200, body: { expiration_ts: 1 } },
      { status: 403, body: { errcode: "ORG_MATRIX_EXPIRED_ACCOUNT" } },
      { status: 200, body: { expiration_ts: future } },
      200,
    ]);
  });

  test("is valid for the configured period where the admin says nothing else", async () => {
    const { original, port } = await pair.each(async (side) => {
      const bob = await side.user("bob");
      const { body } = await admin(side).post(`${path}/admin`, { user_id: bob.userId });
      return Math.round((body.expiration_ts - Date.now()) / 3_600_000);
    });
    expect([original, port]).toEqual([6 * 7 * 24, 6 * 7 * 24]);
  });

  test.each<[string, unknown, number]>([
    ["without a user", { expiration_ts: 1 }, 400],
    ["with a list", [], 400],
    ["with no JSON", undefined, 400],
  ])("is changed by no request %s", async (_title, json, status) => {
    const outcome = await pair.alike(async (side) =>
      shown(await admin(side).request("POST", `${path}/admin`, json === undefined ? { raw: "{" } : { json })),
    );
    expect(outcome.status).toBe(status);
  });

  test("from before there was the module gets the time that new ones have, or a little less", async () => {
    const outcome = await pair.alike(async (side) => {
      const { body } = await new Client(side.server.baseUrl).login("veteran", password);
      const veteran = signedIn(side.server, body);
      const asked = await veteran.post(`${path}/send_mail`); // 400 for who has no time
      return [(await veteran.whoami()).status, asked.status];
    });
    expect(outcome).toEqual([200, 200]);
  });

  test("is changed by an admin alone", async () => {
    const outcome = await pair.alike(async (side) => {
      const carol = await side.user("carol");
      const change = { user_id: carol.userId, expiration_ts: future };
      return [
        shown(await carol.post(`${path}/admin`, change)),
        shown(await new Client(side.server.baseUrl).post(`${path}/admin`, change)),
      ];
    });
    expect(outcome.map(({ status }: Body) => status)).toEqual([403, 401]);
  });
});

describe("a renewal mail", () => {
  test("has a link that renews the account once", async () => {
    const outcome = await pair.alike(async (side) => {
      const dora = await withAddress(side, "dora", "Dora <b>☃</b>");
      await setExpiration(side, dora, 1_000_000_000_000);
      await letIn(dora, 403);
      const asked = shown(await dora.post(`${path}/send_mail`));
      const { headers, parts, link } = await mailTo(side, "dora@example.org");
      const anybody = new Client(side.server.baseUrl);
      const first = await anybody.get(link);
      const access = await letIn(dora, 200);
      const second = await anybody.get(link);
      return {
        asked,
        headers,
        parts,
        pages: [first, second].map(({ status, text }) => ({ status, text })),
        access,
      };
    });
    expect(outcome).toMatchObject({
      asked: { status: 200, body: {} },
      headers: { subject: "Renew your Tests account", to: "dora@example.org" },
      pages: [{ status: 200 }, { status: 200 }],
    });
    expect(outcome.parts).toHaveLength(2);
    for (const part of outcome.parts) expect(part).toContain(`${path}/renew?token=<token>`);
    expect(outcome.parts[1]).not.toContain("<b>☃");
    expect(outcome.pages[0].text).toContain("renewed");
    expect(outcome.pages[1].text).not.toContain("renewed");
  });

  test("makes the link of the one before it worthless", async () => {
    const outcome = await pair.alike(async (side) => {
      const emil = await withAddress(side, "emil");
      await emil.post(`${path}/send_mail`);
      const before = await mailTo(side, "emil@example.org");
      await emil.post(`${path}/send_mail`);
      const after = await mailTo(side, "emil@example.org");
      const anybody = new Client(side.server.baseUrl);
      return [(await anybody.get(before.link)).status, (await anybody.get(after.link)).status];
    });
    expect(outcome).toEqual([404, 200]);
  });

  test("does not go to who has no address", async () => {
    const outcome = await pair.alike(async (side) => {
      const fred = await side.user("fred");
      const asked = shown(await fred.post(`${path}/send_mail`));
      return { asked, mails: mailsOf(side).filter((mail) => mail.includes("fred")).length };
    });
    expect(outcome).toEqual({ asked: { status: 200, body: {} }, mails: 0 });
  });

  test("is for who is logged in", async () => {
    const outcome = await pair.alike(async ({ server }) =>
      shown(await new Client(server.baseUrl).post(`${path}/send_mail`)),
    );
    expect(outcome.status).toBe(401);
  });
});

test.each([
  ["a link with a token that nobody has", "renew?token=none", 404],
  ["a link without a token", "renew", 400],
])("%s", async (_title, link, status) => {
  const outcome = await pair.alike(async ({ server }) => {
    const answer = await new Client(server.baseUrl).get(`${path}/${link}`);
    return {
      status: answer.status,
      title: /Invalid renewal token|Missing renewal token/.exec(answer.text)?.[0],
    };
  });
  expect(outcome).toMatchObject({ status, title: expect.any(String) });
});

test.each(["send_mail", "admin"])("%s is for POST", async (name) => {
  const outcome = await pair.alike(async (side) => shown(await admin(side).get(`${path}/${name}`)));
  expect(outcome.status).toBe(405);
});

describe("the endpoints that Synapse had before there were modules", () => {
  test("send a mail, renew by its token, and take an admin's word", async () => {
    const outcome = await pair.alike(async (side) => {
      const gina = await withAddress(side, "gina");
      const change = { user_id: gina.userId, expiration_ts: future };
      const changed = shown(await admin(side).admin("POST", "v1/account_validity/validity", change));
      const asked = shown(await gina.post(`${legacy}/send_mail`));
      const { link } = await mailTo(side, "gina@example.org");
      const token = link.split("=")[1] as string;
      const renew = async (token: string) => {
        const { status, text } = await new Client(side.server.baseUrl).get(`${legacy}/renew`, { token });
        return { status, text };
      };
      return { changed, asked, pages: [await renew(token), await renew(token), await renew("none")] };
    });
    expect(outcome).toMatchObject({
      changed: { status: 200, body: { expiration_ts: future } },
      asked: { status: 200, body: {} },
      pages: [{ status: 200 }, { status: 200 }, { status: 404 }],
    });
  });
});

// The port of matrix-synapse-ldap3 against the original, with the same OpenLDAP: who is logged in, and who is registered.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Certificates, makeCertificates } from "../../support/certificates.js";
import { type Answer, Client, password } from "../../support/client.js";
import { projectRoot } from "../../support/paths.js";
import { freePort } from "../../support/ports.js";
import { type Slapd, startSlapd } from "../../support/slapd.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { shown } from "../differential/normal.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

const suffix = "dc=corp,dc=example";
const reader = { dn: `cn=reader,${suffix}`, password: "the reader's password" };
const attributes = { uid: "uid", name: "givenName", mail: "mail" };
const right = "the right one ☃";

const people: readonly (readonly [uid: string, ...more: string[]])[] = [
  ["alice", "givenName: Alice Ä", "mail: alice@corp.example", "title: member"],
  ["bob", "givenName: Bob", "givenName: Robert", "title: member"],
  ["carol", "title: member", "mail: carol@corp.example", "mail: c@corp.example"],
  ["dora", "givenName: Dora", "title: guest", "mail: dora@corp.example"],
  ["erin", "title: member", "mail: both@corp.example"],
  ["fred", "title: member", "mail: both@corp.example"],
  ["gus", "givenName: Gus", "title: member", "mail: gus@corp.example"],
  ["hana", "givenName: Hana", "title: member", "mail: hana@corp.example"],
  ["two\\2Bx\\3Dy", "title: member"],
  ["ida@corp.example", "givenName: Ida", "title: member", "mail: ida@corp.example"],
  ["jo@branch.corp.example", "givenName: Jo", "title: member", "mail: jo@corp.example"],
];

const entry = ([uid, ...more]: (typeof people)[number]) => {
  const plain = uid.replaceAll(/\\(..)/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  const base64 = (line: string) =>
    line.replace(/: (.*)$/, (_, text) => `:: ${Buffer.from(text).toString("base64")}`);
  return [
    `dn: uid=${uid},${suffix}`,
    "objectClass: inetOrgPerson",
    ...[`uid: ${plain}`, `cn: ${plain}`, "sn: S", `userPassword: ${right}`, ...more].map(base64),
  ].join("\n");
};

const folder = temporaryFolder();
let certificates: Certificates;
let slapd: Slapd;

beforeAll(async () => {
  certificates = makeCertificates();
  const top = `dn: ${suffix}\nobjectClass: domain\ndc: corp`;
  const type =
    "( 1.3.6.1.4.1.4203.666.1 NAME 'rootDomainNamingContext' SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )";
  slapd = await startSlapd(
    {
      ...{ suffix, reader },
      ldif: `${[top, ...people.map(entry)].join("\n\n")}\n`,
      rootDse: `dn:\nrootDomainNamingContext: DC=corp,DC=example\n`,
      attributeTypes: [type],
    },
    certificates,
  );
}, 60_000);

afterAll(async () => {
  await slapd?.stop();
  certificates?.remove();
  folder.remove();
});

async function start(config: object): Promise<Pair> {
  const whole = { uri: `ldap://localhost:${slapd.port}`, base: suffix, attributes, ...config };
  return startPair({
    original: [{ module: "ldap_auth_provider.LdapAuthProviderModule", config: whole }],
    port: { path: "ldap-logins.ts", config: whole, grants: ["register"] },
    // The original cannot read the version of a Synapse that finds itself in a clone of something.
    options: { env: { GIT_CEILING_DIRECTORIES: projectRoot } },
  });
}

async function logInAs(side: Side, identifier: object, secret: string) {
  const client = new Client(side.server.baseUrl);
  const type = "m.login.password";
  return client.post("/_matrix/client/v3/login", { type, identifier, password: secret });
}

/** What becomes of a login, and of the account. */
async function outcomeOf(side: Side, answer: Answer) {
  const { user_id, access_token } = answer.body;
  if (answer.status !== 200) return shown(answer);
  const user = new Client(side.server.baseUrl, user_id, access_token);
  return {
    ...shown(answer),
    profile: shown(await user.profile()),
    threepids: (await user.get("/_matrix/client/v3/account/3pid")).body.threepids,
    devices: (await user.get("/_matrix/client/v3/devices")).body.devices.length,
  };
}

const byName = async (side: Side, user: string, secret: string) =>
  outcomeOf(side, await logInAs(side, { type: "m.id.user", user }, secret));
const byMail = async (side: Side, address: string, secret: string, medium = "email") =>
  outcomeOf(side, await logInAs(side, { type: "m.id.thirdparty", medium, address }, secret));

describe("searching, with a filter", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await start({
      ...{ bind_dn: reader.dn, bind_password_file: folder.write("password", `${reader.password}\n`) },
      filter: "(title=member)",
    });
    await pair.alike(async (side) => (await side.user("local")).userId);
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test.each<[string, string, string, number]>([
    ["a user with one name and one address", "alice", right, 200],
    ["the same user again", "alice", right, 200],
    ["the same user in capitals", "ALICE", right, 200],
    ["the same user by the full id", "@alice:test.localhost", right, 200],
    ["a user with two names and no address", "bob", right, 200],
    ["a user with no name and two addresses", "carol", right, 200],
    ["a user in capitals who is new", "GUS", right, 200],
    ["a wrong password", "alice", "guess", 403],
    ["no password", "alice", "", 403],
    ["a user whose name LDAP would read as something else", "two+x=y", right, 200],
    ["a user who does not fit the filter", "dora", right, 403],
    ["nobody", "nobody", right, 403],
    ["a local user, whom LDAP does not know", "local", password, 200],
  ])("%s", async (_title, user, secret, status) => {
    const outcome = await pair.alike((side) => byName(side, user, secret));
    expect(outcome.status).toBe(status);
  });

  test("a new user has the name and the address that LDAP has", async () => {
    const { profile, threepids } = await pair.alike((side) => byName(side, "alice", right));
    expect(profile.body.displayname).toBe("Alice Ä");
    expect(threepids).toMatchObject([{ medium: "email", address: "alice@corp.example" }]);
  });

  test.each<[string, string, string, number]>([
    ["an address", "hana@corp.example", right, 200],
    ["the same again", "hana@corp.example", right, 200],
    ["one of two addresses", "c@corp.example", right, 200],
    ["a wrong password", "hana@corp.example", "guess", 403],
    ["no password", "hana@corp.example", "", 403],
    ["an address of two people", "both@corp.example", right, 403],
    ["an address that does not fit the filter", "dora@corp.example", right, 403],
    ["nobody's address", "nobody@corp.example", right, 403],
  ])("%s", async (_title, address, secret, status) => {
    const outcome = await pair.alike((side) => byMail(side, address, secret));
    expect(outcome.status).toBe(status);
  });

  test("no password is in the log", () => {
    for (const secret of [right, reader.password, "guess"]) {
      expect(pair.port.server.log()).not.toContain(secret);
    }
  });

  test("an intended difference: an address is part of a filter for the original, and an address for the port", async () => {
    const { original, port } = await pair.each((side) => byMail(side, "hana@corp.ex*", right));
    expect([original.status, original.body.user_id]).toEqual([200, "@hana:<server>"]);
    expect(port.status).toBe(403);
  });
});

describe("binding as the user, over TLS", () => {
  let pair: Pair;
  beforeAll(async () => {
    const ca_certs_file = certificates.certificatePath;
    const unreachable = `ldap://localhost:${await freePort()}`;
    pair = await start({
      ...{ uri: [unreachable, `ldap://localhost:${slapd.port}`], start_tls: true },
      tls_options: { validate: 2, ca_certs_file },
    });
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test.each<[string, string, string, number]>([
    ["a user", "alice", right, 200],
    ["a user whom a filter would leave out", "dora", right, 200],
    ["a wrong password", "alice", "guess", 403],
    ["no password", "alice", "", 403],
    ["nobody", "nobody", right, 403],
  ])("%s", async (_title, user, secret, status) => {
    const outcome = await pair.alike((side) => byName(side, user, secret));
    expect(outcome.status).toBe(status);
    if (status === 200) expect(outcome.profile.body.displayname).toBe(user);
  });

  test("an intended difference: a name is part of a DN for the original, and a name for the port", async () => {
    const { original, port } = await pair.each((side) => byName(side, "two+x=y", right));
    expect([original.status, port.status]).toEqual([403, 200]);
  });

  test("an address is nobody's", async () => {
    const outcome = await pair.alike((side) => byMail(side, "hana@corp.example", right));
    expect(outcome.status).toBe(403);
  });
});

describe("in Active Directory", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await start({
      ...{ bind_dn: reader.dn, bind_password: reader.password },
      ...{ active_directory: true, default_domain: "corp.example" },
    });
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test.each<[string, string, string | undefined]>([
    ["a user of the default domain", "ida", "@ida:<server>"],
    ["the same with the domain", "Ida/CORP.example", "@ida:<server>"],
    ["the same as Windows writes it", "corp.example\\ida", "@ida:<server>"],
    ["a user of another domain", "jo/branch.corp.example", "@jo/branch.corp.example:<server>"],
    ["the same by the short name of the domain", "BRANCH\\jo", "@jo/branch.corp.example:<server>"],
    ["a user of the other domain without it", "jo", undefined],
  ])("%s", async (_title, user, user_id) => {
    const outcome = await pair.alike((side) => byName(side, user, right));
    expect([outcome.status, outcome.body.user_id]).toEqual([user_id ? 200 : 403, user_id]);
  });

  test("an address is one of the same user", async () => {
    const outcome = await pair.alike(async (side) => [
      (await byMail(side, "ida@corp.example", right)).body.user_id,
      (await byMail(side, "jo@corp.example", right)).body.user_id,
    ]);
    expect(outcome).toEqual(["@ida:<server>", "@jo/branch.corp.example:<server>"]);
  });
});

test(
  "while LDAP is away, the port leaves logins to the local passwords, and the original never answers",
  async () => {
    const uri = `ldap://localhost:${await freePort()}`;
    const pair = await start({ uri, bind_dn: reader.dn, bind_password: reader.password });
    try {
      await pair.each(async (side) => (await side.user("local")).userId);
      const statuses = [
        (await byName(pair.port, "local", password)).status,
        (await byName(pair.port, "alice", right)).status,
        (await byMail(pair.port, "hana@corp.example", right)).status,
      ];
      expect(statuses).toEqual([200, 403, 403]);
      const login = { type: "m.login.password", identifier: { type: "m.id.user", user: "local" }, password };
      const signal = AbortSignal.timeout(5_000); // the port has taken milliseconds
      const answer = fetch(`${pair.original.server.baseUrl}/_matrix/client/v3/login`, {
        ...{ method: "POST", body: JSON.stringify(login), signal },
      });
      await expect(answer).rejects.toMatchObject({ name: "TimeoutError" });
    } finally {
      await pair.stop();
    }
  },
  START_LIMIT_MS,
);

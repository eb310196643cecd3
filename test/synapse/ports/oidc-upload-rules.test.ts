// The port of synapse-oidc-upload-rules against the original: how much users may upload, and what Keycloak is asked.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Body, Client } from "../../support/client.js";
import { type Asked, type JsonService, type Reply, startJsonService } from "../../support/json-service.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { shown } from "../differential/normal.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

/** A service on loopback that answers what Keycloak would: it has tokens, and users with groups. */
interface Keycloak extends JsonService {
  /** By user; one that is not here does not exist. */
  readonly groups: Map<string, unknown>;
  /** From now on, it answers this. */
  broken: Reply | undefined;
  /** From now on, the tokens that it gave are not valid any more. */
  forgetTokens(): void;
}

const secret = "the client's secret ☃";

async function startKeycloak(): Promise<Keycloak> {
  const groups = new Map<string, unknown>();
  let generation = 0;
  const answer = ({ method, path, headers, body }: Asked): Reply => {
    if (keycloak.broken) return keycloak.broken;
    if (method === "POST" && path === "/realms/a%20realm/protocol/openid-connect/token") {
      const form = new URLSearchParams(body);
      const isRight = form.get("client_id") === "limits" && form.get("client_secret") === secret;
      if (!isRight || form.get("grant_type") !== "client_credentials") return { status: 401 };
      return { body: { access_token: `token${generation}`, expires_in: 300 } };
    }
    if (headers.authorization !== `Bearer token${generation}`) return { status: 401 };
    const [, user = ""] = /^\/admin\/realms\/a%20realm\/users\/([^/]+)\/groups$/.exec(path) ?? [];
    const found = groups.get(decodeURIComponent(user));
    return found === undefined ? { status: 404 } : { body: found };
  };
  const service = await startJsonService(answer);
  const keycloak: Keycloak = {
    ...service,
    groups,
    broken: undefined,
    forgetTokens: () => {
      generation += 1;
    },
  };
  return keycloak;
}

const path = (name: string) => ({ id: "1", name: name.slice(1), path: name, subGroups: [] });

const folder = temporaryFolder();
const sides = ["original", "port"] as const;
let keycloaks: Record<(typeof sides)[number], Keycloak>;

beforeAll(async () => {
  keycloaks = { original: await startKeycloak(), port: await startKeycloak() };
}, 30_000);

afterAll(async () => {
  for (const side of sides) await keycloaks?.[side].close();
  folder.remove();
});

interface Together extends Pair {
  keycloak(side: Side): Keycloak;
  /** A user whom Keycloak knows by this name. */
  user(side: Side, name: string, subject?: string, provider?: string): Promise<Client>;
}

async function start(more: object = {}): Promise<Together> {
  const config = (side: (typeof sides)[number]) => ({
    auth_provider_id: "oidc-keycloak",
    keycloak: {
      ...{ server_url: `${keycloaks[side].url}/`, realm: "a realm", client_id: "limits" },
      client_secret_path: folder.write("secret", `${secret}\n`),
    },
    rulesets: [
      {
        name: "both",
        groups: ["/a", "/b"],
        require_all: true,
        limits: [{ time_period: "1d", max_size: "4K" }],
      },
      { name: "one", groups: ["/b", "/c"], limits: [{ time_period: 86_400_000, max_size: 3072 }] },
      {
        name: "two limits",
        groups: ["/d"],
        limits: [
          { time_period: "1w", max_size: "1G" },
          { time_period: "1d", max_size: "2k" },
        ],
      },
    ],
    default_limits: [{ time_period: "1d", max_size: "1K" }],
    ...more,
  });
  const pair = await startPair({
    original: [{ module: "synapse_oidc_upload_rules.OidcUploadRulesModule", config: config("original") }],
    port: { path: "oidc-upload-rules.ts", config: config("port"), grants: ["run_db_interaction"] },
    options: { extraConfig: { media_upload_limits: [{ time_period: "1d", max_size: "5K" }] } },
  });
  const admins = new Map<Side, Client>();
  for (const side of [pair.original, pair.port]) admins.set(side, await side.user("admin", { admin: true }));
  return {
    ...pair,
    keycloak: (side) => keycloaks[side === pair.original ? "original" : "port"],
    async user(side, name, subject, auth_provider = "oidc-keycloak") {
      const user = await side.user(name);
      const external_ids = subject ? [{ auth_provider, external_id: subject }] : [];
      await admins.get(side)?.admin("PUT", `v2/users/${user.userId}`, { external_ids });
      return user;
    },
  };
}

const upload = (user: Client) => user.upload("x".repeat(1_000));

/** How many thousand bytes a user may upload, of at most six, and what is said in the end. */
async function uploads(user: Client): Promise<{ allowed: number; refusal: Body }> {
  for (let allowed = 0; allowed < 6; allowed++) {
    const answer = await upload(user);
    if (answer.status !== 200) return { allowed, refusal: shown(answer) };
  }
  return { allowed: 6, refusal: undefined };
}

/** What Keycloak is asked meanwhile. */
async function asking(keycloak: Keycloak, scenario: () => Promise<unknown>) {
  const from = keycloak.asked.length;
  await scenario();
  return keycloak.asked
    .slice(from)
    .map(({ method, path, headers, body }) => [
      method,
      path,
      headers.authorization,
      String(headers["content-type"]).split(";")[0],
      body,
    ]);
}

describe("the limits", () => {
  let pair: Together;
  beforeAll(async () => {
    pair = await start();
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test.each<[string, string | undefined, unknown, number]>([
    ["of a user whom no provider knows", undefined, undefined, 1],
    ["of a user whom Keycloak does not know", "unknown", undefined, 1],
    ["of a user without groups", "none", [], 1],
    ["of a user in all groups of a rule", "a and b", [path("/a"), path("/b")], 4],
    ["of a user in one of its groups", "b", [path("/b")], 3],
    ["of a user in a group that belongs to no rule", "e", [path("/a"), path("/a/b")], 1],
    ["of which one is stricter", "d", [path("/d")], 2],
    ["of groups that are none", "odd", [17, null, { path: 3 }, path("/c")], 3],
  ])("%s", async (_title, subject, groups, allowed) => {
    const outcome = await pair.alike(async (side) => {
      const name = `user-${(subject ?? "nobody").replaceAll(" ", "-")}`;
      if (subject && groups !== undefined) pair.keycloak(side).groups.set(subject, groups);
      return uploads(await pair.user(side, name, subject));
    });
    expect(outcome.allowed).toBe(allowed);
    expect(outcome.refusal.body.errcode).toBe("M_USER_LIMIT_EXCEEDED");
  });

  test("of another provider's users are the default ones", async () => {
    const outcome = await pair.alike(async (side) => {
      pair.keycloak(side).groups.set("github", [path("/a"), path("/b")]);
      return uploads(await pair.user(side, "other", "github", "oidc-github"));
    });
    expect(outcome.allowed).toBe(1);
  });

  test("are asked for once, and with a new token if the old one is not valid any more", async () => {
    const outcome = await pair.alike(async (side) => {
      const keycloak = pair.keycloak(side);
      keycloak.groups.set("x/y ☃", [path("/a"), path("/b")]);
      const user = await pair.user(side, "cached", "x/y ☃");
      keycloak.forgetTokens();
      const first = await asking(keycloak, () => upload(user));
      const second = await asking(keycloak, () => upload(user));
      return { first, second };
    });
    expect(outcome.first.map(([method]: Body) => method)).toEqual(["GET", "POST", "GET"]);
    expect(outcome.second).toEqual([]);
  });
});

const faults: readonly [string, Reply][] = [
  ["answers 500", { status: 500 }],
  ["answers no JSON", { body: "<html>" }],
  ["answers something else", { body: { error: "what?" } }],
  ["hangs up", "hangUp"],
];

describe.each<[string, number]>([
  ["fallback", 5],
  ["deny", 1],
])("with on_error: %s, while Keycloak", (on_error, allowed) => {
  let pair: Together;
  beforeAll(async () => {
    pair = await start({ on_error, cache_ttl: "1s" });
  }, START_LIMIT_MS);
  afterAll(async () => {
    for (const side of sides) keycloaks[side].broken = undefined;
    await pair?.stop();
  });

  test.each(faults)("%s", async (title, broken) => {
    const outcome = await pair.alike(async (side) => {
      const keycloak = pair.keycloak(side);
      keycloak.groups.set(title, [path("/a"), path("/b")]);
      keycloak.broken = broken;
      const user = await pair.user(side, `user-${title.replaceAll(" ", "-")}`, title);
      const { allowed } = await uploads(user);
      keycloak.broken = undefined;
      return { allowed, afterwards: (await upload(user)).status };
    });
    // Afterwards, those of the groups hold: 4K.
    expect(outcome).toEqual({ allowed, afterwards: allowed < 4 ? 200 : 403 });
  });
});

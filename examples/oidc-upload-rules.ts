// Limits uploads by the groups that a user has in Keycloak: what the Python module synapse-oidc-upload-rules does on Synapse 1.139
// and newer. The first rule that fits a user's groups holds.
import { readFile } from "node:fs/promises";
import { type Config, type ContextOf, defineHead, defineModule } from "synapse-module-bridge";
import { ForgetfulCache } from "./recipes/forgetful-cache.js";

const text = { type: "string", minLength: 1 } as const;
const duration = { type: ["integer", "string"], minimum: 1, pattern: "^ *0*[1-9]\\d*[smhdwy]?$" } as const;
const size = { type: ["integer", "string"], minimum: 0, pattern: "^ *\\d+[KMGTkmgt]?$" } as const;
const limits = {
  type: "array",
  minItems: 1,
  items: {
    type: "object",
    properties: { time_period: duration, max_size: size },
    required: ["time_period", "max_size"],
    additionalProperties: false,
  },
} as const;

const configSchema = {
  type: "object",
  properties: {
    /** As Synapse has it in user_external_ids: `oidc-` and the provider's idp_id. */
    auth_provider_id: text,
    keycloak: {
      type: "object",
      properties: {
        server_url: { type: "string", pattern: "^https?://" },
        realm: text,
        client_id: text,
        client_secret: text,
        client_secret_path: text,
        /** For one request. Both together should take less than the bridge's own `timeout`. */
        timeout_s: { type: "integer", minimum: 1, default: 2 },
      },
      required: ["server_url", "realm", "client_id"],
      oneOf: [{ required: ["client_secret"] }, { required: ["client_secret_path"] }],
      additionalProperties: false,
    },
    rulesets: {
      type: "array",
      items: {
        type: "object",
        properties: {
          name: text,
          groups: { type: "array", minItems: 1, items: text },
          /** Whether a user must be in all of the groups, and not only in one. */
          require_all: { type: "boolean", default: false },
          limits,
        },
        required: ["name", "groups", "limits"],
        additionalProperties: false,
      },
      default: [],
    },
    /** For whom no rule fits. Without it, what homeserver.yaml says holds. */
    default_limits: limits,
    cache_ttl: { ...duration, default: "5m" },
    on_error: { type: "string", enum: ["fallback", "deny"], default: "fallback" },
  },
  required: ["auth_provider_id", "keycloak"],
  if: { not: { required: ["default_limits"] } },
  // biome-ignore lint/suspicious/noThenProperty: a key of JSON Schema
  then: { required: ["rulesets"], properties: { rulesets: { minItems: 1 } } },
  additionalProperties: false,
} as const;

type Settings = Config<typeof configSchema>;
type Limits = NonNullable<Settings["default_limits"]>;

const head = defineHead({
  configSchema,
  grants: ["run_db_interaction"],
  async setup({ config }) {
    const { client_secret, client_secret_path } = config.keycloak;
    const secret = client_secret ?? (await readFile(client_secret_path ?? "", "utf8")).trim();
    const keycloak = new Keycloak(config.keycloak, secret);
    const keepMs = milliseconds(config.cache_ttl);
    return { groups: new ForgetfulCache((subject) => keycloak.groupsOf(subject), { keepMs }) };
  },
});

type Context = ContextOf<typeof head>;

export default defineModule({
  ...head,
  callbacks: {
    async get_media_upload_limits_for_user({ user_id }, context) {
      try {
        return inBytes(await limitsOf(user_id, context));
      } catch (error) {
        const { on_error } = context.config;
        context.log.error({ err: error, user_id }, `the limits of an upload are not known: ${on_error}`);
        return on_error === "deny" ? strictest(context.config) : null;
      }
    },
  },
});

async function limitsOf(user_id: string, { api, config, data }: Context): Promise<Limits | undefined> {
  const sql = "SELECT external_id FROM user_external_ids WHERE auth_provider = ? AND user_id = ?";
  const statements = [{ sql, params: [config.auth_provider_id, user_id] }];
  const [result] = await api.run_db_interaction({ desc: "oidc_upload_rules", statements });
  const subject = result?.rows[0]?.external_id;
  if (typeof subject !== "string") return config.default_limits;
  const groups = await data.groups.get(subject);
  if (groups === undefined) data.groups.forget(subject); // perhaps Keycloak has them the next time
  const fits = ({ groups: wanted, require_all }: Settings["rulesets"][number]) =>
    wanted[require_all ? "every" : "some"]((group) => groups?.has(group));
  return config.rulesets.find(fits)?.limits ?? config.default_limits;
}

const inBytes = (found: Limits | undefined) =>
  found?.map(({ max_size, time_period }) => ({
    max_bytes: bytes(max_size),
    time_period_ms: milliseconds(time_period),
  })) ?? null;

/** Those limits that allow the least in a time. */
function strictest({ rulesets, default_limits }: Settings) {
  const all = [...rulesets.map((rule) => rule.limits), ...(default_limits ? [default_limits] : [])];
  const rate = (found: Limits) =>
    Math.min(...found.map(({ max_size, time_period }) => bytes(max_size) / milliseconds(time_period)));
  return inBytes(all.toSorted((a, b) => rate(a) - rate(b))[0]);
}

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
const milliseconds = (value: string | number) =>
  scaled(value, (unit) => 1000 * units[unit as keyof typeof units]);
const bytes = (value: string | number) => scaled(value, (unit) => 1024 ** (1 + "kmgt".indexOf(unit)));

function scaled(value: string | number, factorOf: (unit: string) => number): number {
  const [, digits, unit] = /^ *(\d+)([a-z]?)$/i.exec(String(value)) ?? [];
  return Number(digits) * (unit ? factorOf(unit.toLowerCase()) : 1);
}

/** Asks Keycloak as a client with a service account. */
class Keycloak {
  readonly #config: Settings["keycloak"];
  readonly #secret: string;
  #token: { readonly text: string; readonly until: number } | undefined;

  constructor(config: Settings["keycloak"], secret: string) {
    this.#config = config;
    this.#secret = secret;
  }

  /** The paths of a user's groups; undefined if there is no such user. */
  async groupsOf(subject: string): Promise<ReadonlySet<string> | undefined> {
    if (/^\.{1,2}$/.test(subject)) return undefined; // these would lead to all groups of the realm
    const path = `/admin/realms/${this.#realm}/users/${encodeURIComponent(subject)}/groups`;
    const ask = async () => this.#fetch(path, { authorization: `Bearer ${await this.#accessToken()}` });
    let response = await ask();
    if (response.status === 401) {
      this.#token = undefined; // Keycloak has forgotten it before its time
      response = await ask();
    }
    if (response.status === 404) return undefined;
    const groups = response.ok ? await response.json() : undefined;
    if (!Array.isArray(groups)) throw new Error(`Keycloak answered ${response.status} about groups`);
    return new Set(groups.map((group) => group?.path).filter((found) => typeof found === "string"));
  }

  async #accessToken(): Promise<string> {
    if (this.#token && performance.now() < this.#token.until) return this.#token.text;
    const client = { client_id: this.#config.client_id, client_secret: this.#secret };
    const body = new URLSearchParams({ grant_type: "client_credentials", ...client });
    const response = await this.#fetch(`/realms/${this.#realm}/protocol/openid-connect/token`, {}, body);
    const { access_token, expires_in } = response.ok
      ? ((await response.json()) as Record<string, unknown>)
      : {};
    if (typeof access_token !== "string")
      throw new Error(`Keycloak gave no token, and answered ${response.status}`);
    const seconds = typeof expires_in === "number" && expires_in > 0 ? expires_in : 60;
    this.#token = { text: access_token, until: performance.now() + 1000 * Math.max(1, seconds - 30) };
    return access_token;
  }

  get #realm(): string {
    return encodeURIComponent(this.#config.realm);
  }

  #fetch(path: string, headers: Record<string, string>, body?: URLSearchParams): Promise<Response> {
    return fetch(this.#config.server_url.replace(/\/+$/, "") + path, {
      method: body ? "POST" : "GET",
      headers,
      ...(body && { body }),
      redirect: "manual",
      signal: AbortSignal.timeout(1000 * this.#config.timeout_s),
    });
  }
}

// Lets accounts expire unless their owners renew them by a link in a mail: what the Python module
// synapse-email-account-validity does, in the same table.
import { randomBytes } from "node:crypto";
import {
  type ApiOf,
  type DatabaseRow,
  defineModule,
  SynapseError,
  type Template,
} from "synapse-module-bridge";

const path = "/_synapse/client/email_account_validity";

type Api = ApiOf<readonly ["run_db_interaction", "send_mail"]>;

interface Config {
  readonly period: string;
  readonly renew_at: string;
  readonly renew_email_subject: string;
}

export default defineModule({
  configSchema: {
    type: "object",
    properties: {
      /** How long an account is valid without being renewed, as Synapse writes durations: `6w`. */
      period: { type: "string", pattern: "^\\d+[smhdwy]$" },
      /** How long before an account expires its owner gets a mail. */
      renew_at: { type: "string", pattern: "^\\d+[smhdwy]$" },
      renew_email_subject: { type: "string", default: "Renew your %(app)s account" },
    },
    required: ["period", "renew_at"],
    additionalProperties: false,
  },

  grants: ["run_db_interaction", "send_mail"],

  async setup({ api, config, log }) {
    const files = ["notice_expiry.html", "notice_expiry.txt"] as const;
    const pages = ["account_renewed.html", "account_previously_renewed.html", "invalid_token.html"] as const;
    const [html, text, renewed, renewedBefore, invalid] = await api.read_templates({
      filenames: [...files, ...pages],
    });
    const data = { html, text, renewed, renewedBefore, invalid } as Templates;
    if (api.should_run_background_tasks()) {
      await createTable(api, config);
      const send = () =>
        sendDueMails({ api, config, data }).catch((error) => log.error({ error: String(error) }, "no mails"));
      setInterval(send, 30 * 60 * 1000).unref();
    }
    return data;
  },

  callbacks: {
    is_user_expired: {
      // Asked about every request of every user: a renewal takes effect after this time at most.
      ttl: "5s",
      async handler({ user_id }, { api }) {
        const expiration = await expirationOf(user_id, api);
        return expiration === undefined ? null : Date.now() >= expiration;
      },
    },
    async on_user_registration({ user_id }, { api, config }) {
      await setValidity(api, user_id, { expiration: Date.now() + milliseconds(config.period) });
    },
    async on_legacy_send_mail({ user_id }, context) {
      await sendMailTo(user_id, context);
    },
    on_legacy_renew({ renewal_token }, context) {
      return renew(renewal_token, context);
    },
    on_legacy_admin_request({ request }, context) {
      return setByAdmin(request, context);
    },
  },

  web_resources: {
    async [`${path}/send_mail`](request, context) {
      allowOnly("POST", request);
      const requester = await context.api.get_user_by_req({ req: request, allow_expired: true });
      await sendMailTo(requester.user_id, context);
      return {};
    },
    async [`${path}/renew`](request, context) {
      allowOnly("GET", request);
      const token = new URL(request.url).searchParams.get("token");
      if (token === null) return page(400, "<html><body>Missing renewal token</body></html>");
      const [valid, stale, expiration_ts] = await renew(token, context);
      const { renewed, renewedBefore, invalid } = context.data;
      if (!valid && !stale) return page(404, await invalid.render({}));
      return page(200, await (valid ? renewed : renewedBefore).render({ expiration_ts }));
    },
    async [`${path}/admin`](request, context) {
      allowOnly("POST", request);
      const { user_id } = await context.api.get_user_by_req({ req: request });
      if (!(await context.api.is_user_admin({ user_id }))) {
        throw new SynapseError(403, "You are not a server admin", "M_FORBIDDEN");
      }
      return { expiration_ts: await setByAdmin(request, context) };
    },
  },
});

type Templates = Readonly<Record<"html" | "text" | "renewed" | "renewedBefore" | "invalid", Template>>;

interface Surroundings {
  readonly api: Api;
  readonly config: Config;
  readonly data: Templates;
}

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;

function milliseconds(duration: string): number {
  return 1000 * Number(duration.slice(0, -1)) * units[duration.at(-1) as keyof typeof units];
}

/** Runs one statement; gives its rows. */
async function query(api: Api, sql: string, params: readonly (string | number | boolean | null)[] = []) {
  const statements = [{ sql, params }];
  const [result] = await api.run_db_interaction({ desc: "email_account_validity", statements });
  return result?.rows ?? [];
}

/** All users that are not in it yet get a place in the table, at a time that spreads the mails over a while. */
async function createTable(api: Api, config: Config): Promise<void> {
  await query(
    api,
    `CREATE TABLE IF NOT EXISTS email_account_validity (
       user_id TEXT PRIMARY KEY, expiration_ts_ms BIGINT NOT NULL, email_sent BOOLEAN NOT NULL,
       renewal_token TEXT, token_used_ts_ms BIGINT)`,
  );
  const batch = 100;
  let found: readonly DatabaseRow[];
  do {
    found = await query(
      api,
      `SELECT users.name AS user_id FROM users
       LEFT JOIN email_account_validity AS validity ON users.name = validity.user_id
       WHERE validity.user_id IS NULL LIMIT ?`,
      [batch],
    );
    const period = milliseconds(config.period);
    for (const { user_id } of found) {
      const expiration = Date.now() + Math.floor(period * (1 - Math.random() / 10));
      await setValidity(api, user_id as string, { expiration });
    }
  } while (found.length === batch);
}

async function expirationOf(user_id: string, api: Api): Promise<number | undefined> {
  const sql = "SELECT expiration_ts_ms FROM email_account_validity WHERE user_id = ?";
  return (await query(api, sql, [user_id]))[0]?.expiration_ts_ms as number | undefined;
}

interface Validity {
  readonly expiration: number;
  readonly mailSent?: boolean;
  readonly token?: string;
  readonly usedAt?: number;
}

async function setValidity(api: Api, user_id: string, { expiration, mailSent, token, usedAt }: Validity) {
  await query(
    api,
    `INSERT INTO email_account_validity VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (user_id) DO UPDATE SET
       expiration_ts_ms = EXCLUDED.expiration_ts_ms, email_sent = EXCLUDED.email_sent,
       renewal_token = EXCLUDED.renewal_token, token_used_ts_ms = EXCLUDED.token_used_ts_ms`,
    [user_id, expiration, mailSent ?? false, token ?? null, usedAt ?? null],
  );
}

/** [the token is valid, it has been used before, when the account expires now] */
async function renew(token: string, { api, config }: Surroundings): Promise<[boolean, boolean, number]> {
  const sql = "SELECT * FROM email_account_validity WHERE renewal_token = ?";
  const [row] = await query(api, sql, [token]);
  if (!row) return [false, false, 0];
  if (row.token_used_ts_ms !== null) return [false, true, row.expiration_ts_ms as number];
  const now = Date.now();
  const expiration = now + milliseconds(config.period);
  await setValidity(api, row.user_id as string, { expiration, token, usedAt: now });
  return [true, false, expiration];
}

interface Change {
  readonly user_id?: string;
  readonly expiration_ts?: number;
  readonly enable_renewal_emails?: boolean;
}

async function setByAdmin(request: Request, { api, config }: Surroundings): Promise<number> {
  const body = (await request.json().catch(() => null)) as Change | null;
  if (!body) throw new SynapseError(400, "Content not JSON.", "M_NOT_JSON");
  if (Array.isArray(body)) throw new SynapseError(400, "Content must be a JSON object.", "M_BAD_JSON");
  if (!body.user_id) throw new SynapseError(400, "Missing property 'user_id' in the request body");
  const now = Date.now();
  const expiration = body.expiration_ts ?? now + milliseconds(config.period);
  const mailSent = !(body.enable_renewal_emails ?? true);
  await setValidity(api, body.user_id, { expiration, mailSent, usedAt: now });
  return expiration;
}

async function sendDueMails(context: Surroundings): Promise<void> {
  const sql = "SELECT user_id FROM email_account_validity WHERE email_sent = ? AND expiration_ts_ms - ? <= ?";
  const params = [false, Date.now(), milliseconds(context.config.renew_at)];
  for (const { user_id } of await query(context.api, sql, params))
    await sendMailTo(user_id as string, context);
}

/** Does nothing for a user without an address: only an admin can renew their account. */
async function sendMailTo(user_id: string, { api, config, data }: Surroundings): Promise<void> {
  const expiration_ts = await expirationOf(user_id, api);
  if (expiration_ts === undefined) throw new SynapseError(400, `User has no expiration time: ${user_id}`);
  const threepids = await api.get_threepids_for_user({ user_id });
  const addresses = threepids.filter(({ medium }) => medium === "email").map(({ address }) => address);
  if (addresses.length === 0) return;

  const localpart = user_id.slice(1, user_id.indexOf(":"));
  const display_name = (await api.get_profile_for_user({ localpart })).display_name ?? user_id;
  const token = randomBytes(24).toString("base64url");
  const sql =
    "UPDATE email_account_validity SET renewal_token = ?, token_used_ts_ms = NULL WHERE user_id = ?";
  await query(api, sql, [token, user_id]);

  const url = `${api.public_baseurl}${path.slice(1)}/renew?token=${token}`;
  const subject = config.renew_email_subject.replace("%(app)s", api.email_app_name);
  const variables = { display_name, expiration_ts, url };
  const [html, text] = await Promise.all([data.html.render(variables), data.text.render(variables)]);
  for (const recipient of addresses) await api.send_mail({ recipient, subject, html, text });
  await query(api, "UPDATE email_account_validity SET email_sent = ? WHERE user_id = ?", [true, user_id]);
}

function allowOnly(method: string, request: Request): void {
  if (request.method !== method) throw new SynapseError(405, "Unrecognized request", "M_UNRECOGNIZED");
}

function page(status: number, html: string): Response {
  return new Response(html, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

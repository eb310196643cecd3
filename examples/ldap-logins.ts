// Logs users in by their names or mail addresses and passwords in LDAP or Active Directory, and registers those who are new:
// what the Python module matrix-synapse-ldap3 does. It needs the npm package ldapts.
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Client, DN, type Entry, Filter, ResultCodeError } from "ldapts";
import { type Config, type ContextOf, defineHead, defineModule } from "synapse-module-bridge";

const text = { type: "string", minLength: 1 } as const;

const configSchema = {
  type: "object",
  properties: {
    enabled: { type: "boolean" }, // of old configurations, without an effect
    /** `simple` binds as the user below `base`. `search`, which bind_dn implies, looks for the user's entry first. */
    mode: { type: "string", enum: ["simple", "search"], default: "simple" },
    /** Of several servers, the next one is asked if one cannot be reached. */
    uri: { type: ["string", "array"], items: text, minItems: 1, minLength: 1 },
    start_tls: { type: "boolean", default: false },
    validate_cert: { type: "boolean" },
    tls_options: {
      type: "object",
      properties: { validate: { type: "integer" }, ca_certs_file: text },
      additionalProperties: false,
    },
    base: { type: "string" },
    attributes: {
      type: "object",
      properties: { uid: text, name: text, mail: text },
      required: ["uid", "name", "mail"],
      additionalProperties: false,
    },
    bind_dn: text,
    bind_password: { type: "string" },
    bind_password_file: text,
    /** Which entries are users, in LDAP's notation, such as (objectClass=posixAccount). */
    filter: text,
    active_directory: { type: "boolean", default: false },
    /** The domain of users who give none. */
    default_domain: text,
  },
  required: ["uri", "base", "attributes"],
  dependencies: {
    bind_dn: { anyOf: [{ required: ["bind_password"] }, { required: ["bind_password_file"] }] },
  },
  not: { required: ["validate_cert", "tls_options"] },
  additionalProperties: false,
} as const;

type Settings = Config<typeof configSchema>;

const head = defineHead({
  configSchema,
  grants: ["register"],
  setup: ({ config }) => ({ directory: new Directory(config), root: undefined as string | undefined }),
});

type Context = ContextOf<typeof head>;

export default defineModule({
  ...head,
  callbacks: {
    auth_checkers: [
      {
        login_type: "m.login.password",
        fields: ["password"],
        async handler({ username, login_dict }, context) {
          const [, localpart = username] = /^@([^:]*):/.exec(username) ?? [];
          return byName(localpart, String(login_dict.password), context);
        },
      },
    ],
    check_3pid_auth: {
      match: (config) => ({ medium: searches(config) ? ["email"] : [] }),
      handler: ({ address, password }, context) => byMail(address, password, context),
    },
  },
});

const searches = ({ mode, bind_dn }: Settings) => mode === "search" || bind_dn !== undefined;

async function byName(name: string, password: string, context: Context): Promise<string | null> {
  const { api, config, data, log } = context;
  const person = config.active_directory
    ? await inActiveDirectory(name, context)
    : { uid: name, localpart: name, displayname: name };
  if (person === undefined) return null;
  const { uid, name: attribute, mail } = config.attributes;
  const entry = await asNull(log, () =>
    searches(config)
      ? data.directory.findAndBind(uid, person.uid, password)
      : data.directory.bindAs(person.uid, password),
  );
  if (entry === null) return null;
  const known = await api.check_user_exists({
    user_id: api.get_qualified_user_id({ username: person.localpart }),
  });
  if (known !== null) return known;
  const localpart = person.localpart.toLowerCase();
  return register(localpart, only(entry, attribute) ?? person.displayname, only(entry, mail), context);
}

async function byMail(address: string, password: string, context: Context): Promise<string | null> {
  const { config, data, log } = context;
  const { uid, name, mail } = config.attributes;
  const entry = await asNull(log, () => data.directory.findAndBind(mail, address, password));
  const found = entry && only(entry, uid);
  if (!found) return null;
  const localpart = (config.active_directory ? localpartOf(found, config) : found).toLowerCase();
  return register(localpart, only(entry, name) ?? localpart, address, context);
}

async function register(
  localpart: string,
  displayname: string,
  mail: string | undefined,
  { api, log }: Context,
): Promise<string> {
  const known = await api.check_user_exists({ user_id: api.get_qualified_user_id({ username: localpart }) });
  if (known !== null) return known;
  const [user_id] = await api.register({ localpart, displayname, emails: mail === undefined ? [] : [mail] });
  log.info({ user_id }, "a user of the directory is new, and is registered");
  return user_id;
}

/** The result of a login; null if the directory refuses it or cannot be asked. */
async function asNull(log: Context["log"], login: () => Promise<Entry | null>): Promise<Entry | null> {
  try {
    return await login();
  } catch (error) {
    const { name, code } = error as { name?: string; code?: unknown };
    // No message: it may have a password in it.
    if (error instanceof ResultCodeError) log.info({ error: name }, "the directory refuses a login");
    else log.warn({ error: name, code }, "the directory cannot be asked");
    return null;
  }
}

/** The value of an attribute that has a single one. */
function only(entry: Entry, attribute: string): string | undefined {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase()) ?? "";
  const values = [entry[key] ?? []].flat();
  return values.length === 1 ? String(values[0]) : undefined;
}

/** A login such as `DOMAIN\name`, `name/domain` or `name`, and the parts of a Matrix id for it. */
async function inActiveDirectory(login: string, context: Context) {
  const { config, data } = context;
  const lower = login.toLowerCase();
  const [backslash, slash] = [lower.lastIndexOf("\\"), lower.lastIndexOf("/")];
  let [name, domain] = [lower, config.default_domain];
  if (backslash >= 0) {
    [domain, name] = [lower.slice(0, backslash), lower.slice(backslash + 1)];
    data.root ??= await asRoot(context);
    if (data.root && !domain.endsWith(data.root)) domain += `.${data.root}`;
  } else if (slash >= 0) [name, domain] = [lower.slice(0, slash), lower.slice(slash + 1)];
  if (domain === undefined) return undefined;
  const uid = `${name}@${domain}`;
  return { uid, localpart: localpartOf(uid, config), displayname: name };
}

/** Only users of the default domain have no domain in their ids. */
function localpartOf(uid: string, { default_domain }: Settings): string {
  const at = uid.lastIndexOf("@");
  if (at < 0) return uid;
  const [name, domain] = [uid.slice(0, at), uid.slice(at + 1)];
  return domain.toLowerCase() === default_domain?.toLowerCase() ? name : `${name}/${domain}`;
}

/** The domain at the root of the forest; undefined if it cannot be asked. */
async function asRoot({ config, data, log }: Context): Promise<string | undefined> {
  if (!searches(config)) return undefined;
  const dse = await asNull(log, () => data.directory.root());
  const root = dse && only(dse, "rootDomainNamingContext");
  return root?.replaceAll(/(^|,) *dc=/gi, (_, comma) => (comma ? "." : ""));
}

class Directory {
  readonly #config: Settings;
  readonly #tls: ConnectionOptions;
  readonly #password: string;

  constructor(config: Settings) {
    const { tls_options, validate_cert = tls_options?.validate !== 0 } = config;
    this.#config = config;
    this.#tls = {
      rejectUnauthorized: validate_cert,
      ...(tls_options?.ca_certs_file && { ca: readFileSync(tls_options.ca_certs_file) }),
    };
    const file = config.bind_password_file;
    this.#password = config.bind_password ?? (file ? readFileSync(file, "utf8").replace(/\n+$/, "") : "");
  }

  async bindAs(uid: string, password: string): Promise<Entry | null> {
    if (password === "") return null; // LDAP takes that for an anonymous bind, which succeeds
    const { attributes, base } = this.#config;
    const dn = `${new DN().addPairRDN(attributes.uid, uid)},${base}`;
    return this.#connected(async (client) => {
      await client.bind(dn, password);
      return { dn };
    });
  }

  /** The only entry with this value, if the password is its own. */
  async findAndBind(attribute: string, value: string, password: string): Promise<Entry | null> {
    if (password === "") return null;
    const { attributes, base, filter = "" } = this.#config;
    return this.#connected(async (client) => {
      await this.#bindForSearch(client);
      const { searchEntries } = await client.search(base, {
        filter: `(&(${attribute}=${Filter.escape(value)})${filter})`,
        attributes: Object.values(attributes),
        sizeLimit: 2,
      });
      const [entry, ...others] = searchEntries;
      if (entry === undefined || others.length > 0) return null;
      await client.bind(entry.dn, password);
      return entry;
    });
  }

  /** What the server says of itself. */
  root(): Promise<Entry | null> {
    return this.#connected(async (client) => {
      await this.#bindForSearch(client);
      const attributes = ["rootDomainNamingContext"];
      return (await client.search("", { scope: "base", attributes })).searchEntries[0] ?? null;
    });
  }

  async #bindForSearch(client: Client): Promise<void> {
    if (this.#config.bind_dn !== undefined) await client.bind(this.#config.bind_dn, this.#password);
  }

  async #connected<Result>(task: (client: Client) => Promise<Result>): Promise<Result> {
    let failure: unknown;
    for (const url of [this.#config.uri].flat()) {
      const client = new Client({
        // All together in less time than a login has.
        ...{ url, timeout: 1_500, connectTimeout: 1_500 },
        // With these, ldapts takes every address for one of ldaps.
        ...(url.startsWith("ldaps:") && { tlsOptions: this.#tls }),
      });
      try {
        if (this.#config.start_tls) await client.startTLS({ ...this.#tls, host: new URL(url).hostname });
        return await task(client);
      } catch (error) {
        if (error instanceof ResultCodeError) throw error;
        failure = error;
      } finally {
        await client.unbind().catch(() => undefined);
      }
    }
    throw failure;
  }
}

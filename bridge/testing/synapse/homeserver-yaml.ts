// Writes the homeserver.yaml (as JSON, which is YAML), signing key and logging configuration of a throw-away Synapse.
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Certificates } from "./certificates.js";

export interface ModuleEntry {
  readonly module: string;
  readonly config?: unknown;
}

export interface HomeserverYaml {
  readonly dir: string;
  readonly serverName: string;
  /** The `modules:`. */
  readonly modules: readonly ModuleEntry[];
  /** More keys, which win over the others. */
  readonly extraConfig: Readonly<Record<string, unknown>>;
  readonly sharedSecret: string;
  readonly logLevels?: LogLevels | undefined;
  /** Also logs what the bridge says, as one JSON object a line, to this file. */
  readonly recordsPath?: string | undefined;
  readonly federation?: { readonly port: number; readonly certificates: Certificates };
  /** The port for clients; default: any. */
  readonly port?: number | undefined;
}

/** By logger; `root` is INFO and the bridge's decisions are DEBUG where nothing else is said. */
export type LogLevels = Readonly<Record<string, string>>;

const BRIDGE = "synapse_module_bridge";
const limiters = (
  "rc_message rc_registration rc_registration_token_validity rc_admin_redaction rc_joins_per_room " +
  "rc_key_requests rc_3pid_validation rc_third_party_invite rc_media_create rc_delayed_event_mgmt " +
  "rc_room_creation rc_reports rc_user_directory rc_profile"
).split(" ");
const unlimited = { per_second: 10_000, burst_count: 10_000 };

/** Synapse has no off switch for its rate limits: high ones are the way. */
const noRateLimits = {
  ...Object.fromEntries(limiters.map((name) => [name, unlimited])),
  rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
  rc_joins: { local: unlimited, remote: unlimited },
  rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
  rc_presence: { per_user: unlimited },
  rc_federation: {
    window_size: 1000,
    sleep_limit: 10_000,
    sleep_delay: 1,
    reject_limit: 10_000,
    concurrent: 100,
  },
};

function federationConfig({ port, certificates }: NonNullable<HomeserverYaml["federation"]>) {
  return {
    listener: {
      port,
      type: "http",
      tls: true,
      bind_addresses: ["127.0.0.1"],
      resources: [{ names: ["federation"] }],
    },
    keys: {
      tls_certificate_path: certificates.certificatePath,
      tls_private_key_path: certificates.keyPath,
      federation_custom_ca_list: [certificates.certificatePath],
      federation_ip_range_blacklist: [],
      federation: {
        destination_min_retry_interval: "1s",
        destination_max_retry_interval: "2s",
        client_timeout: "10s",
        max_short_retries: 1,
      },
    },
  };
}

/** Writes all files and returns the paths of the configuration and of the log. */
export function writeConfig(input: HomeserverYaml): { configPath: string; logPath: string } {
  const { dir } = input;
  const file = (name: string) => path.join(dir, name);
  const federation = input.federation && federationConfig(input.federation);
  const config = {
    server_name: input.serverName,
    public_baseurl: "http://localhost/",
    signing_key_path: file("signing.key"),
    media_store_path: file("media"),
    log_config: file("homeserver.log.yaml"),
    pid_file: file("homeserver.pid"),
    database: { name: "sqlite3", args: { database: file("hs.db") } },
    listeners: [
      {
        port: input.port ?? 0,
        type: "http",
        bind_addresses: ["127.0.0.1"],
        resources: [{ names: ["client", "federation"] }],
      },
      ...(federation ? [federation.listener] : []),
    ],
    registration_shared_secret: input.sharedSecret,
    macaroon_secret_key: "macaroon",
    form_secret: "form",
    bcrypt_rounds: 4,
    report_stats: false,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    enable_registration: true,
    enable_registration_without_verification: true,
    user_directory: { enabled: true, search_all_users: true },
    alias_creation_rules: [{ action: "allow" }],
    room_list_publication_rules: [{ action: "allow" }],
    ...noRateLimits,
    ...federation?.keys,
    modules: input.modules,
    ...input.extraConfig,
  };
  if (!existsSync(file("signing.key"))) writeFileSync(file("signing.key"), newKey());
  const { logPath } = writeLogConfig(dir, "homeserver", input.logLevels, input.recordsPath);
  writeFileSync(file("homeserver.yaml"), JSON.stringify(config, null, 2));
  return { configPath: file("homeserver.yaml"), logPath };
}

const newKey = () => `ed25519 a_test ${randomBytes(32).toString("base64").replace(/=+$/, "")}\n`;

/** Writes the logging configuration of one process. */
export function writeLogConfig(
  dir: string,
  name: string,
  { root = "INFO", ...others }: LogLevels = {},
  recordsPath?: string,
): { logConfigPath: string; logPath: string } {
  const [logConfigPath, logPath] = [path.join(dir, `${name}.log.yaml`), path.join(dir, `${name}.log`)];
  const handler = (formatter: string, filename: string) => ({
    class: "logging.FileHandler",
    formatter,
    filename,
    encoding: "utf8",
  });
  const levels = { [`${BRIDGE}.decision`]: "DEBUG", ...others };
  const config = {
    version: 1,
    formatters: {
      plain: { format: "%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s" },
      ...(recordsPath && { json: { class: "synapse.logging.TerseJsonFormatter" } }),
    },
    handlers: {
      file: handler("plain", logPath),
      ...(recordsPath && { records: handler("json", recordsPath) }),
    },
    root: { level: root, handlers: ["file"] },
    loggers: {
      ...Object.fromEntries(Object.entries(levels).map(([logger, level]) => [logger, { level }])),
      ...(recordsPath && { [BRIDGE]: { level: others[BRIDGE] ?? root, handlers: ["records"] } }),
    },
    disable_existing_loggers: false,
  };
  writeFileSync(logConfigPath, JSON.stringify(config));
  return { logConfigPath, logPath };
}

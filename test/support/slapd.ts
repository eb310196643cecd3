// Runs an LDAP server of a test's own, from Debian's package of OpenLDAP.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Certificates } from "./certificates.js";
import { unpackDebian } from "./debian.js";
import { accepts, freePort } from "./ports.js";
import { startProgram, untilReady } from "./program.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface Slapd {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Tree {
  readonly suffix: string;
  /** The entries, as LDIF. */
  readonly ldif: string;
  /** Who may read all of it. */
  readonly reader: { readonly dn: string; readonly password: string };
  /** What the server says of itself besides, as LDIF, and the attributes for it. */
  readonly rootDse: string;
  readonly attributeTypes: readonly string[];
}

/** With STARTTLS. Only the reader searches; nobody else but an entry's own user does anything. */
export async function startSlapd(tree: Tree, certificates: Certificates): Promise<Slapd> {
  const files = await unpackDebian("slapd", "libltdl7", "libwrap0");
  const libraries = join(files, "usr/lib");
  const platform = readdirSync(libraries).find((name) => name.endsWith("-linux-gnu")) ?? "";
  const env = { ...process.env, LD_LIBRARY_PATH: join(libraries, platform) };
  const folder = temporaryFolder();
  const command = join(files, "usr/sbin/slapd");
  const config = folder.write("slapd.conf", configuration(tree, certificates, files, folder.root));
  folder.write("root.ldif", tree.rootDse);
  folder.write("data/.keep", "");
  const entries = folder.write("entries.ldif", tree.ldif);
  await promisify(execFile)(command, ["-T", "add", "-f", config, "-l", entries], { env });
  const port = await freePort();
  const program = startProgram({
    command,
    args: ["-h", `ldap://127.0.0.1:${port}`, "-f", config, "-d", "0"],
    cwd: folder.root,
    env,
    cleanUp: folder.remove,
  });
  await untilReady("slapd", program, () => accepts(port));
  return { port, stop: program.stop };
}

function configuration(tree: Tree, certificates: Certificates, files: string, dir: string): string {
  const schemas = ["core", "cosine", "inetorgperson"];
  return [
    ...schemas.map((name) => `include ${join(files, "etc/ldap/schema", `${name}.schema`)}`),
    ...tree.attributeTypes.map((type) => `attributetype ${type}`),
    `modulepath ${join(files, "usr/lib/ldap")}`,
    "moduleload back_mdb",
    `pidfile ${join(dir, "pid")}`,
    `TLSCertificateFile ${certificates.certificatePath}`,
    `TLSCertificateKeyFile ${certificates.keyPath}`,
    `rootDSE ${join(dir, "root.ldif")}`,
    "database mdb",
    `suffix "${tree.suffix}"`,
    `rootdn "${tree.reader.dn}"`,
    `rootpw "${tree.reader.password}"`,
    `directory ${join(dir, "data")}`,
    "access to attrs=userPassword by anonymous auth by * none",
    "access to * by self read by anonymous auth by * none",
    "",
  ].join("\n");
}

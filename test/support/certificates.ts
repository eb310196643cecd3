// Makes the one certificate that all servers of a test share: for localhost, and its own authority.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { harnessFile, venvPython } from "./paths.js";

export interface Certificates {
  readonly dir: string;
  /** PEM files. The certificate is also what a client has to trust. */
  readonly keyPath: string;
  readonly certificatePath: string;
  remove(): void;
}

/** Uses the `cryptography` package that Synapse brings along, so that no openssl command is needed. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "bridge-certificates-"));
  execFileSync(venvPython(), [harnessFile("certificate.py"), dir], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    dir,
    keyPath: join(dir, "tls.key"),
    certificatePath: join(dir, "tls.crt"),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

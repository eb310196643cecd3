// Makes this process that of another user, for `check --user`: what it may read then, that user may.
import { spawnSync } from "node:child_process";
import { homedir } from "node:os";

/** Throws an Error that says what to do if that is not possible. It cannot be undone. */
export function becomeUser(name: string): void {
  const [uid] = idsOf(name, "-u");
  const [gid] = idsOf(name, "-g");
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${name}`);
  if (process.getuid?.() === uid) return;
  if (process.getuid?.() !== 0)
    throw new Error(
      `only root can try the files as ${name}: run this command with sudo, or as ${name} (sudo -u ${name} …)`,
    );
  process.setgroups?.(idsOf(name, "-G"));
  process.setgid?.(gid);
  process.setuid?.(uid);
  process.env.USER = process.env.LOGNAME = name;
  delete process.env.HOME;
  process.env.HOME = homedir();
}

/** Empty for an unknown user. The program knows all databases of users, of which /etc/passwd may be only one. */
function idsOf(name: string, which: "-u" | "-g" | "-G"): number[] {
  const { status, stdout } = spawnSync("id", [which, "--", name], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split(" ").map(Number) : [];
}

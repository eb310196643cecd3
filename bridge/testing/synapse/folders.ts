// Makes temporary folders, and removes those of processes that were killed before they could.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";

const PREFIX = "synapse-under-test-";
const OWNER = "owner.json";
// The owner of a younger folder may not have written its name yet.
const UNOWNED_MS = 60_000;

interface Owner {
  readonly pid: number;
  /** What tells it from a later process of the same number. */
  readonly started: string;
  /** Where its number means something: containers share folders, but no processes. */
  readonly place: string;
}

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

export function temporaryFolder(parent = tmpdir()): TemporaryFolder {
  removeLeftBehind(parent);
  const folder = mkdtempSync(path.join(parent, PREFIX));
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) ?? "", place: place() };
  writeFileSync(path.join(folder, OWNER), JSON.stringify(owner));
  return { path: folder, remove: () => removeFolder(folder) };
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function removeLeftBehind(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = path.join(parent, name);
    try {
      if (isLeftBehind(folder)) removeFolder(folder);
    } catch {
      // The folder is shared: another process may remove it now, it belongs to somebody else, or a
      // process that its killed owner started still writes into it. The next start tries again.
    }
  }
}

function isLeftBehind(folder: string): boolean {
  const { uid, mtimeMs } = statSync(folder);
  if (uid !== process.getuid?.()) return false;
  let owner: Owner;
  try {
    owner = JSON.parse(readFileSync(path.join(folder, OWNER), "utf8"));
  } catch {
    return Date.now() - mtimeMs > UNOWNED_MS;
  }
  return owner.place === place() && !lives(owner);
}

function lives({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (startOf(pid) ?? started) === started;
}

/** In ticks since boot; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function place(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

// Says who keeps this process from a file: the first folder of its path that lets it not pass, or the file itself. The
// system says only that something is denied.
import { accessSync, constants, readlinkSync, statSync } from "node:fs";
import path from "node:path";

// As many as Linux follows.
const MOST_LINKS = 40;

/** The message about a file that may not be read. */
export function describeDenied(file: string): string {
  const folder = closedFolder(path.resolve(file));
  const who =
    folder === undefined ? ownerOf(file) : `: the folder ${folder} does not let it pass${ownerOf(folder)}`;
  return `${file} may not be read by this user${who}`;
}

function closedFolder(file: string, links = 0): string | undefined {
  for (const folder of foldersAbove(file)) {
    if (mayPass(folder)) continue;
    return links < MOST_LINKS ? (behindLink(folder, "x", links) ?? folder) : folder;
  }
  return links < MOST_LINKS ? behindLink(file, "", links) : undefined;
}

/** Follows a link whose target is closed. */
function behindLink(link: string, below: string, links: number): string | undefined {
  try {
    return closedFolder(path.resolve(path.dirname(link), readlinkSync(link), below), links + 1);
  } catch {
    return undefined; // not a link
  }
}

/** From the root on. */
function foldersAbove(file: string): string[] {
  const parent = path.dirname(file);
  return parent === file ? [] : [...foldersAbove(parent), parent];
}

function mayPass(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EACCES";
  }
}

function ownerOf(file: string): string {
  try {
    const { mode, uid, gid } = statSync(file);
    return ` (mode ${(mode & 0o7777).toString(8).padStart(4, "0")}, owner ${uid}, group ${gid})`;
  } catch {
    return "";
  }
}

// A folder for the files of a test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Folder {
  readonly root: string;
  /** The absolute path of what lies below the folder. */
  path(name: string): string;
  /** Writes a file, by its path below the folder, and gives its absolute path. */
  write(name: string, text: string | Buffer): string;
  remove(): void;
}

export function temporaryFolder(): Folder {
  const root = mkdtempSync(path.join(tmpdir(), "bridge-test-"));
  return {
    root,
    path: (name) => path.join(root, name),
    write(name, text) {
      const file = path.join(root, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

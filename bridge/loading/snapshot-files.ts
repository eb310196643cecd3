// The file system as jiti sees it: records what jiti finds there, and returns the same after a restart.
import fs, { type PathLike, type StatSyncOptions } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Snapshot } from "./snapshot.js";

type Kind = "file" | "folder" | "other" | null;

// Stands for the text of a file whose code was kept instead. jiti recognises an ES module by such a word.
const SOME_MODULE = "export {};";

/** Node's `fs`, with the few functions that jiti uses replaced. */
export function snapshotFileSystem(snapshot: Snapshot): typeof fs {
  const kindOf = (file: PathLike): Kind => {
    const name = nameOf(file);
    return snapshot.lookUp(`stat ${name}`, () => {
      const found = fs.statSync(name, { throwIfNoEntry: false });
      if (!found) return null;
      return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
    });
  };
  const statSync = (file: PathLike, options?: StatSyncOptions) => {
    const kind = kindOf(file);
    if (kind !== null) return { isFile: () => kind === "file", isDirectory: () => kind === "folder" };
    if (options?.throwIfNoEntry === false) return undefined;
    throw Object.assign(new Error(`ENOENT: no such file or directory, stat '${nameOf(file)}'`), {
      code: "ENOENT",
    });
  };
  const readFileSync = (file: PathLike | number, options?: { encoding: "utf8" } | "utf8") => {
    if (typeof file === "number") return fs.readFileSync(file, options);
    const name = nameOf(file);
    const known = snapshot.replayed(name);
    if (known) return options === undefined ? Buffer.from(known.text ?? "") : (known.text ?? SOME_MODULE);
    let content: Buffer | undefined;
    snapshot.lookUp(`read ${name}`, () => {
      content = fs.readFileSync(name);
      snapshot.recordRead(name, content);
      return true;
    });
    // The file was read then, but was too large for the snapshot.
    content ??= fs.readFileSync(name);
    return options === undefined ? content : content.toString("utf8");
  };
  return {
    ...fs,
    statSync,
    lstatSync: statSync,
    existsSync: (file: PathLike) => kindOf(file) !== null,
    realpathSync: (file: PathLike) => {
      const real = snapshot.lookUp(`real ${nameOf(file)}`, () => fs.realpathSync(nameOf(file)));
      snapshot.recordUse(real);
      return real;
    },
    readFileSync,
  } as unknown as typeof fs;
}

function nameOf(file: PathLike): string {
  return file instanceof URL ? fileURLToPath(file) : String(file);
}

// Finds the Pythons of this machine by their release: on PATH, or where pyenv and uv keep theirs.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

const kept = [
  join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions"),
  join(process.env.UV_PYTHON_INSTALL_DIR ?? join(homedir(), ".local/share/uv/python")),
];

/** The path of a Python of this release, such as 3.12; undefined where there is none. */
export function pythonOf(release) {
  const name = `python${release}`;
  // A shim of pyenv fails where that release is not chosen.
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.endsWith("/shims"));
  const onPath = folders.map((folder) => join(folder, name));
  const installed = kept
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((one) => join(folder, one)) : []))
    .map((folder) => join(folder, "bin", name));
  return [...onPath, ...installed].find((path) => existsSync(path));
}

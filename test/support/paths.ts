// Where the project, its Python and this harness's own files are.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

export function venvPython(): string {
  const python = join(projectRoot, ".venv", "bin", "python");
  if (!existsSync(python)) throw new Error(`${python} is missing: run \`npm run setup\` first`);
  return python;
}

export function harnessFile(name: string): string {
  return join(projectRoot, "test/support", name);
}

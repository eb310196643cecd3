// Collects the licence texts of the packages in a bundle.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./inputs.mjs";

/** The licence texts of the packages whose code really is in a bundle, and of those in `more`. */
export async function licencesOf(metafile, more, introduction) {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = new Set(more);
  for (const path of used) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
    if (folder) folders.add(folder);
  }
  const parts = await Promise.all([...folders].sort().map(licenceOf));
  const rule = "-".repeat(80);
  return [introduction, ...parts].join(`\n${rule}\n\n`);
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
  const file = (await readdir(join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file)
    throw new Error(
      `${name} is bundled but has no licence file in ${folder}: leave it out, or add its text.`,
    );
  return `${name} ${version} (${license})\n\n${(await readFile(join(root, folder, file), "utf8")).trim()}\n`;
}

// Makes the folder with the admin's page: its script, its style and its icon, each with a hash in its name, the page that
// names them, and the licences of the packages in them.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { build, stop } from "esbuild";
import { root } from "./inputs.mjs";
import { licencesOf } from "./licences.mjs";

const source = "bridge/admin-page";

/** Fills an empty folder with the page. */
export async function bundlePage(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { page: `${source}/main.tsx` },
    entryNames: "[name]-[hash]",
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "browser",
    // What browsers of two years have.
    target: ["chrome120", "firefox121", "safari17.4"],
    minify: true,
    legalComments: "none", // THIRD_PARTY_LICENSES.txt has them in full
    metafile: true,
    logLevel: "error",
  });
  await stop(); // else its process stays for as long as this one
  const built = Object.keys(metafile.outputs).map((path) => basename(path));
  const named = (extension) => built.find((name) => extname(name) === extension);
  const names = { script: named(".js"), style: named(".css"), icon: await copyIcon(folder) };
  await writeFile(join(folder, "index.html"), await index(names));
  const introduction = "The admin's page in this folder contains code of the packages below.\n";
  await writeFile(join(folder, "THIRD_PARTY_LICENSES.txt"), await licencesOf(metafile, [], introduction));
}

async function copyIcon(folder) {
  const icon = await readFile(join(root, source, "icon.svg"));
  const name = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
  await writeFile(join(folder, name), icon);
  return name;
}

/** The page with the names of its files. The shim fills in the nonce. */
async function index(names) {
  let text = await readFile(join(root, source, "index.html"), "utf8");
  for (const [place, name] of Object.entries(names)) {
    if (!text.includes(`{{${place}}}`))
      throw new Error(`${source}/index.html has no place for the ${place}.`);
    text = text.replaceAll(`{{${place}}}`, name);
  }
  return text;
}

// Bundles TypeScript, and what the host does with it, into one file that the npm package and the wheel carry. It is the same
// for all platforms, and a fraction of TypeScript's package.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./inputs.mjs";
import { licencesOf } from "./licences.mjs";

const own = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** Writes the file, and the licences of what is in it, into a folder. */
export async function bundleCompiler(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["bridge/compiler/compile.ts"],
    outfile: join(folder, "compiler.cjs"),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: `node${own.engines.node.replace(">=", "")}`,
    minify: true,
    legalComments: "none",
    metafile: true,
    logLevel: "error",
  });
  const introduction = "compiler.cjs contains code of the packages below.\n";
  await writeFile(join(folder, "compiler-licenses.txt"), await licencesOf(metafile, [], introduction));
}

// Adds the CommonJS form of what authors import, for test runners that cannot require ES modules: dist/cjs/, with its types.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { root } from "./inputs.mjs";

const own = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const ENTRIES = [
  "index.d.ts",
  "testing/index.d.ts",
  "testing/synapse/index.d.ts",
  "testing/synapse/global-setup.d.ts",
];

/** `dist` has what tsc has written. */
export async function bundleCommonJs(dist) {
  const folder = join(dist, "cjs");
  await build({
    absWorkingDir: root,
    entryPoints: {
      index: "bridge/index.ts",
      testing: "bridge/testing/index.ts",
      "testing-synapse": "bridge/testing/synapse/index.ts",
      "testing-synapse-global-setup": "bridge/testing/synapse/global-setup.ts",
    },
    outdir: folder,
    bundle: true,
    packages: "external",
    format: "cjs",
    platform: "node",
    target: `node${own.engines.node.replace(">=", "")}`,
    banner: { js: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "__importMetaUrl" },
    logLevel: "error",
  });
  // Under this, TypeScript takes the same declarations for those of CommonJS.
  await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  for (const file of await declarationsFrom(dist, ENTRIES)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(dist, file), join(folder, file));
  }
}

/** These files of declarations, and those that they import. */
async function declarationsFrom(dist, entries) {
  const found = new Set(entries);
  for (const file of found) {
    const text = await readFile(join(dist, file), "utf8");
    for (const [, named] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)\.js"/g))
      found.add(relative(dist, join(dist, dirname(file), `${named}.d.ts`)));
  }
  return found;
}

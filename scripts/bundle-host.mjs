// Makes the folder that the wheel carries: the bundled host and SDK, the compiler, the catalogue, jiti, and the licences of all
// of it.
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, stop } from "esbuild";
import { createJiti } from "jiti";
import { root } from "./inputs.mjs";
import { licencesOf } from "./licences.mjs";

// jiti stays a real folder: it loads its Babel by a path beside itself, and only when a TypeScript file needs it.
const jitiFiles = [
  "package.json",
  "LICENSE",
  "lib/jiti.mjs",
  "lib/jiti.cjs",
  "dist/jiti.cjs",
  "dist/babel.cjs",
];

// Bundled CommonJS packages call require for Node's own modules, which ES modules lack.
const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const own = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const target = `node${own.engines.node.replace(">=", "")}`;

// The host needs ajv itself only for a module's configSchema: the validators of messages are compiled here. So ajv runs at its
// first use.
const lateAjv = {
  name: "late-ajv",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^ajv$/ }, ({ importer }) =>
      importer.endsWith("/catalogue/validators.ts") ? { path: "ajv", namespace: "late" } : undefined,
    );
    onLoad({ filter: /^ajv$/, namespace: "late" }, () => ({
      contents: 'Object.defineProperty(exports, "Ajv", { enumerable: true, get: () => require("ajv").Ajv });',
      resolveDir: root,
    }));
  },
};

/** Fills an empty folder with the host. `compiler` is the folder of the bundled compiler. */
export async function bundleHost(folder, compiler) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { cli: "bridge/cli.ts", index: "bridge/index.ts" },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target,
    // Commands for authors, which only the npm package has, are left out.
    external: ["jiti", "./dev.js", "./new.js", "./synapse-install.js"],
    banner: { js: banner },
    plugins: [lateAjv],
    minifyWhitespace: true, // V8 reads all of it at each start
    lineLimit: 120, // for stacks, and for what Node prints of a line
    legalComments: "none", // THIRD_PARTY_LICENSES.txt has them in full
    metafile: true,
    logLevel: "error",
  });
  if (!("late:ajv" in metafile.inputs)) throw new Error("ajv does not come late: who imports it has changed");
  await writeValidators(folder);
  await stop(); // else its process stays for as long as this one
  for (const file of jitiFiles) {
    await cp(join(root, "node_modules/jiti", file), join(folder, "node_modules/jiti", file));
  }
  for (const name of await readdir(compiler)) await cp(join(compiler, name), join(folder, name));
  await mkdir(join(folder, "schemas"));
  for (const name of await readdir(join(root, "schemas"))) {
    if (name.endsWith(".json")) await cp(join(root, "schemas", name), join(folder, "schemas", name));
  }
  const { name, version, license, engines } = own;
  const exports = { ".": "./index.mjs" };
  await writeFile(
    join(folder, "package.json"),
    `${JSON.stringify({ name, version, license, engines, type: "module", exports }, null, 2)}\n`,
  );
  const introduction =
    "The Node host in this folder contains code of the packages below, and of those in compiler-licenses.txt. Babel, inside jiti, is under the MIT licence too.\n";
  const licences = await licencesOf(metafile, ["node_modules/jiti"], introduction);
  await writeFile(join(folder, "THIRD_PARTY_LICENSES.txt"), licences);
}

/** Compiled here, so that a host that starts need not. */
async function writeValidators(folder) {
  const source = createJiti(import.meta.url);
  const { standaloneValidators } = await source.import("./generate/standalone.ts");
  const { COMPILED } = await source.import("../bridge/catalogue/validators.ts");
  await build({
    stdin: { contents: standaloneValidators(), resolveDir: root },
    outfile: join(folder, COMPILED),
    bundle: true,
    format: "cjs",
    platform: "node",
    target,
    minify: true,
    legalComments: "none",
    logLevel: "error",
  });
}

// Builds the npm package (dist/), and inside the Python package the host (synapse_module_bridge/_host/) and the admin's page
// (synapse_module_bridge/_page/).
// Does nothing when no input has changed. `--force` builds all the same.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hashFiles, listFiles, readStamp, root, writeStamp } from "./inputs.mjs";

const distDir = join(root, "dist");
const shimDir = join(root, "python-shim/synapse_module_bridge");
const hostDir = join(shimDir, "_host");
const pageDir = join(shimDir, "_page");
const kit = "bridge/testing/synapse";
// Both packages carry the same compiler.
const compilerDir = join(root, "node_modules/.cache/synapse-module-bridge/compiler");
// What the command `new` copies.
const newProject = "examples/new-project";
const stampFile = join(root, "node_modules/.cache/synapse-module-bridge/build.json");

/** Both packages carry one version, and the shim refuses a host of another: so a difference stops the build. */
async function checkVersions() {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const python = /^version = "([^"]+)"/m.exec(
    await readFile(join(root, "python-shim/pyproject.toml"), "utf8"),
  )?.[1];
  if (version !== python || version !== lock.version) {
    throw new Error(
      `The versions differ: package.json ${version}, package-lock.json ${lock.version}, python-shim/pyproject.toml ${python}. Make them the same.`,
    );
  }
}

/** Lets `make` fill an empty folder, then puts it in the place of `target`; running programs keep what they have open. */
async function replaceDir(target, make) {
  const temporary = mkdtempSync(join(root, ".build-"));
  const made = join(temporary, "new");
  try {
    mkdirSync(made);
    await make(made);
    mkdirSync(dirname(target), { recursive: true });
    if (existsSync(target)) renameSync(target, join(temporary, "old"));
    renameSync(made, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("close", resolve);
  });
}

/** Compiles the npm package. tsc writes it even when types are wrong: that fails the build, but leaves a package to run. */
async function buildDist() {
  let code;
  await replaceDir(distDir, async (folder) => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    code = await run(process.execPath, [
      tsc,
      "-p",
      "tsconfig.build.json",
      "--outDir",
      folder,
      "--pretty",
      "false",
    ]);
    if (!existsSync(join(folder, "index.js"))) throw new Error("tsc wrote nothing (see above).");
    await copyPrograms(folder);
    await copyShim(join(folder, "shim"));
    await cp(join(root, newProject), join(folder, "new-project"), { recursive: true });
    for (const name of await readdir(compilerDir)) await cp(join(compilerDir, name), join(folder, name));
    const { bundleCommonJs } = await import("./bundle-commonjs.mjs");
    await bundleCommonJs(folder);
  });
  if (code !== 0) throw new Error("tsc found errors (above).");
}

/** Copies what the kit for tests runs in Python. */
async function copyPrograms(folder) {
  for (const name of await readdir(join(root, kit)))
    if (name.endsWith(".py")) await cp(join(root, kit, name), join(folder, "testing/synapse", name));
}

/** Copies the shim, for the kit for tests. In the place of its bundled host is a file that runs the npm package's own. */
async function copyShim(folder) {
  const target = join(folder, "synapse_module_bridge");
  const isWanted = (path) => !["_host", "__pycache__"].includes(basename(path));
  await cp(shimDir, target, { recursive: true, filter: isWanted });
  await cp(join(root, "python-shim/constraints.txt"), join(folder, "constraints.txt"));
  // The shim asks Python for its own version.
  const { name, version, license, engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const metadata = join(folder, `${name.replaceAll("-", "_")}-${version}.dist-info`);
  await mkdir(metadata);
  await writeFile(join(metadata, "METADATA"), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
  const host = join(target, "_host");
  await mkdir(join(host, "schemas"), { recursive: true });
  await writeFile(join(host, "cli.mjs"), 'import "../../../cli.js";\n');
  const manifest = { name, version, license, engines, type: "module" };
  await writeFile(join(host, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const schema of await readdir(join(root, "schemas")))
    if (schema.endsWith(".json")) await cp(join(root, "schemas", schema), join(host, "schemas", schema));
}

export async function build({ force = false } = {}) {
  const started = performance.now();
  if (!existsSync(join(root, "node_modules/.package-lock.json")))
    throw new Error("The npm packages are not installed: run `npm ci` first.");
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !existsSync(join(root, "node_modules", name)),
  );
  if (missing.length > 0)
    throw new Error(
      `The npm packages are not up to date, and lack ${missing.join(", ")}: run \`npm ci\` first.`,
    );
  const scripts = [
    "build",
    "bundle-commonjs",
    "bundle-compiler",
    "bundle-host",
    "bundle-page",
    "licences",
  ].map((name) => `scripts/${name}.mjs`);
  const sources = ["bridge", "schemas", newProject, ...scripts];
  const inputs = [
    ...sources.flatMap((path) => listFiles(join(root, path))),
    ...[
      "package.json",
      "package-lock.json",
      "tsconfig.json",
      "tsconfig.build.json",
      "python-shim/pyproject.toml",
      "python-shim/constraints.txt",
    ].map((path) => join(root, path)),
    ...listFiles(shimDir).filter((path) => !/\/(_host|_page|__pycache__)\//.test(path)),
  ];
  const hash = hashFiles(inputs);
  const outputs = [
    join(distDir, "index.js"),
    join(distDir, "compiler.cjs"),
    join(hostDir, "cli.mjs"),
    join(pageDir, "index.html"),
  ];
  if (!force && readStamp(stampFile) === hash && outputs.every((path) => existsSync(path))) {
    return "up to date";
  }
  await checkVersions();
  // Not above, since they import npm packages.
  const { bundleCompiler } = await import("./bundle-compiler.mjs");
  const { bundleHost } = await import("./bundle-host.mjs");
  const { bundlePage } = await import("./bundle-page.mjs");
  await replaceDir(compilerDir, bundleCompiler);
  await replaceDir(pageDir, bundlePage); // before dist/, which gets a copy
  const host = replaceDir(hostDir, (folder) => bundleHost(folder, compilerDir));
  const failures = (await Promise.allSettled([buildDist(), host])).flatMap((result) =>
    result.status === "rejected" ? [result.reason.message] : [],
  );
  if (failures.length > 0) throw new Error(failures.join("\n"));
  writeStamp(stampFile, hash);
  return `built in ${((performance.now() - started) / 1000).toFixed(1)} s`;
}

if (import.meta.filename === process.argv[1]) {
  try {
    console.log(`dist/ and the host: ${await build({ force: process.argv.includes("--force") })}`);
  } catch (error) {
    console.error(`The build failed.\n${error.message}`);
    process.exitCode = 1;
  }
}

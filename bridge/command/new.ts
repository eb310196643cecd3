// `synapse-module-bridge new`: makes the project of an author, whose tests pass at once.
import { existsSync, readdirSync, statSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { NEWEST_TESTED } from "../testing/synapse/releases.js";
import { ownDependency } from "./own-dependency.js";

// What the build makes of examples/new-project.
const template = fileURLToPath(new URL("../new-project", import.meta.url));
// npm leaves a file of the real name out of a package.
const RENAMED = new Map([["gitignore", ".gitignore"]]);
// The releases of Synapse on which the project's workflow tests.
const VERSIONS = ["1.130.0", "1.140.0", "1.150.0", "1.160.0", NEWEST_TESTED];
// The files that name the project, the bridge's version or those of Synapse.
const FILLED_IN = ["package.json", "README.md", ".github/workflows/test.yml"];

/**
 * Makes the project, and returns what to do next, in a shell. Throws an Error where the folder has something in it, or its name
 * cannot be a project's.
 */
export async function makeProject(folder: string): Promise<string> {
  const target = path.resolve(folder);
  const name = nameOf(target);
  if (existsSync(target)) {
    if (!statSync(target).isDirectory())
      throw new Error(`${folder} is a file: give the name of a new folder`);
    // A fresh clone has only that.
    if (readdirSync(target).some((entry) => entry !== ".git"))
      throw new Error(`${folder} is not empty: give the name of a new folder`);
  }
  await cp(template, target, {
    recursive: true,
    filter: (source) => !RENAMED.has(path.basename(source)),
  });
  for (const [shipped, real] of RENAMED) await cp(path.join(template, shipped), path.join(target, real));
  const bridge = ownDependency();
  const values = {
    "new-project": name,
    // Within a string of JSON.
    __BRIDGE__: JSON.stringify(bridge).slice(1, -1),
    __VERSIONS__: VERSIONS.join(" "),
    __VERSION_LIST__: VERSIONS.map((version) => `"${version}"`).join(", "),
  };
  for (const file of FILLED_IN) {
    let text = await readFile(path.join(target, file), "utf8");
    // A function, since a text may have `$&` in it.
    for (const [key, value] of Object.entries(values)) text = text.replaceAll(key, () => value);
    await writeFile(path.join(target, file), text);
  }
  return nextSteps(folder, bridge);
}

function nextSteps(folder: string, bridge: string): string {
  const shown = /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
  return [
    `${folder} has a module, and tests of it in memory and on a real Synapse. Now:`,
    "",
    `  cd ${shown}`,
    "  npm install",
    "  npm test         # the first time, this installs Synapse: about a minute",
    "  npm run dev      # a Synapse beside your editor",
    "",
    ...(bridge.startsWith("file:")
      ? [
          `Its package.json takes the bridge from where this command is: ${bridge}. Keep that; CI needs it, too.`,
          "",
        ]
      : []),
    "",
  ].join("\n");
}

/** The folder's name, as npm takes it for a package. */
function nameOf(target: string): string {
  const name = path
    .basename(target)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, "-")
    .replace(/^[._-]+/, "")
    .replace(/-+$/, "")
    .slice(0, 214);
  if (name === "")
    throw new Error(`${target} gives no name for the project: name the folder with letters or digits`);
  return name;
}

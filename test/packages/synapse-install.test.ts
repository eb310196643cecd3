/** From nothing: Synapse comes from PyPI into the cache, and then serves without a network. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, jest, test } from "@jest/globals";
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { examplePath } from "../support/bridge.js";
import { projectRoot } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());
jest.setTimeout(600_000);

const install = (version: string, env: NodeJS.ProcessEnv) => {
  const { NODE_OPTIONS: _, SYNAPSE_VERSION: __, ...rest } = process.env;
  const command = [join(projectRoot, "dist/cli.js"), "synapse", "install", version];
  const options = {
    cwd: folder.root,
    env: { ...rest, ...env, XDG_CACHE_HOME: folder.root },
    timeout: 300_000,
  };
  return output(process.execPath, command, options);
};

const noLinks = { path: examplePath("no-links.ts"), config: { allowed_domains: ["example.org"] } };
folder.write(
  "use.mjs",
  `import { startSynapse } from ${JSON.stringify(pathToFileURL(join(projectRoot, "dist/testing/synapse/index.js")))};
   const hs = await startSynapse({ modules: [${JSON.stringify(noLinks)}] });
   const alice = await hs.user("alice");
   const room = await alice.createRoom();
   const { errcode } = await alice.send(room, "https://casino.example").catch((error) => error);
   const [{ module, outcome }] = await hs.decisions({ room });
   console.log(hs.version, errcode, module, outcome);
   await hs.close();`,
);

test.each([NEWEST_TESTED, "1.100.0"])("Synapse %s", async (version) => {
  const first = await install(version, {});
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toMatch(
    new RegExp(`^installing matrix-synapse==${version} .*\\nthis takes about a minute, once\\n`),
  );
  expect(first.stderr).toMatch(/\ninstalled in \d+ s\npreparing a database for Synapse \S+, once\n$/);
  const python = first.stdout.trim();
  expect(existsSync(python)).toBe(true);
  // Neither a Python on PATH nor an index is needed any more.
  const offline = { PATH: "/nowhere", PYTHON: "", PIP_INDEX_URL: "http://127.0.0.1:9/" };
  expect(await install(version, offline)).toEqual({ code: 0, stdout: `${python}\n`, stderr: "" });

  const { NODE_OPTIONS: _, ...rest } = process.env;
  const env = { ...rest, ...offline, XDG_CACHE_HOME: folder.root, SYNAPSE_VERSION: version };
  const used = await output(process.execPath, [folder.path("use.mjs")], {
    cwd: folder.root,
    env,
    timeout: 150_000,
  });
  expect(used).toEqual({ code: 0, stdout: `${version} M_FORBIDDEN no-links refused\n`, stderr: "" });
});
